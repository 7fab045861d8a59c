#pragma once

#include "kernels/common.h"

namespace residual::kernels {

// max(x, 0); propagates NaN.
RESIDUAL_HD inline float relu_value(float x) {
    return x <= 0.0f ? 0.0f : x;
}

RESIDUAL_HD inline float relu_gradient(float y, float dy) {
    return y > 0.0f ? dy : 0.0f;
}

}  // namespace residual::kernels

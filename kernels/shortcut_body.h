#pragma once

#include "kernels/common.h"
#include "kernels/shortcut.h"

namespace residual::kernels {

// One pooled value. x: the upper left of the four pixels; `right` and `down`: offsets to its neighbours, in elements.
template <class T>
RESIDUAL_HD inline float average_of_four(const T* x, int64_t right, int64_t down) {
    const float upper = to_float(x[0]) + to_float(x[right]);
    const float lower = to_float(x[down]) + to_float(x[down + right]);
    return 0.25f * (upper + lower);
}

}  // namespace residual::kernels

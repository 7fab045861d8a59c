#pragma once

#include "kernels/bfloat16.h"
#include "kernels/common.h"

namespace kernels {

// max(x, 0), written so that a NaN passes.
template <class T>
KERNELS_HD inline T relu_value(T x) {
    return to_float(x) <= 0.0f ? from_float<T>(0.0f) : x;
}

template <class T>
KERNELS_HD inline T relu_gradient(T y, T dy) {
    return to_float(y) > 0.0f ? dy : from_float<T>(0.0f);
}

template <class T>
KERNELS_HD inline T sum_value(T a, T b) {
    return from_float<T>(to_float(a) + to_float(b));
}

}  // namespace kernels

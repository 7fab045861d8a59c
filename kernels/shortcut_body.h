#pragma once

#include "kernels/common.h"
#include "kernels/shortcut.h"

namespace residual::kernels {

// Zeros in front of the input's channels on the output's channel axis.
RESIDUAL_HD inline int channels_before(const ShortcutShape& shape) {
    return (shape.out_channels - shape.in_channels) / 2;
}

RESIDUAL_HD inline int pooled_height(const ShortcutShape& shape) {
    return shape.height / 2;
}
RESIDUAL_HD inline int pooled_width(const ShortcutShape& shape) {
    return shape.width / 2;
}
RESIDUAL_HD inline int subsampled_height(const ShortcutShape& shape) {
    return (shape.height + 1) / 2;
}
RESIDUAL_HD inline int subsampled_width(const ShortcutShape& shape) {
    return (shape.width + 1) / 2;
}

// One pooled value from its upper left pixel; `right` and `down` are the distances, in elements, to the neighbours.
template <class T>
RESIDUAL_HD inline float average_of_four(const T* x, int64_t right, int64_t down) {
    const float upper = to_float(x[0]) + to_float(x[right]);
    const float lower = to_float(x[down]) + to_float(x[down + right]);
    return 0.25f * (upper + lower);
}

// The gradient of each of the four.
RESIDUAL_HD inline float quarter(float dy) {
    return 0.25f * dy;
}

}  // namespace residual::kernels

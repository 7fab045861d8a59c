#pragma once

#include "kernels/bfloat16.h"
#include "kernels/exec.h"

namespace residual::kernels {

// Spatial zero-padding, for convolutions whose padding differs between the sides. Layout NHWC, T float or bfloat16;
// input and output must not overlap.

struct PadShape {
    int batch, height, width, channels;  // unpadded
    int top, bottom, left, right;        // rows and columns of zeros, >= 0
};

// x [batch, height, width, channels] -> y [batch, top + height + bottom, left + width + right, channels].
// Reads x once and writes y once.
template <class Exec, class T>
void spatial_pad(const Exec& exec, const PadShape& shape, const T* x, T* y);

// The gradient of spatial_pad: y shaped as its output -> x shaped as its input, without the border.
// Reads the interior of y and writes x once.
template <class Exec, class T>
void spatial_crop(const Exec& exec, const PadShape& shape, const T* y, T* x);

}  // namespace residual::kernels

#pragma once

#include "kernels/bfloat16.h"
#include "kernels/exec.h"

namespace residual::kernels {

// Zeros round the image, for convolutions whose padding differs between the sides. Layout NHWC, T float or bfloat16.

// batch .. channels are those of the unpadded x; top .. right are the rows and columns of zeros, >= 0.
struct PadShape {
    int batch, height, width, channels;
    int top, bottom, left, right;
};

// x [batch, height, width, channels] -> y [batch, top + height + bottom, left + width + right, channels].
// Reads x once and writes y once. They don't overlap.
template <class Exec, class T>
void spatial_pad(const Exec& exec, const PadShape& shape, const T* x, T* y);

// The gradient of spatial_pad: y shaped as its output -> x shaped as its input, the border dropped.
// Reads the inside of y and writes x once. They don't overlap.
template <class Exec, class T>
void spatial_crop(const Exec& exec, const PadShape& shape, const T* y, T* x);

}  // namespace residual::kernels

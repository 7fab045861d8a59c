#pragma once

#include "kernels/bfloat16.h"
#include "kernels/exec.h"

namespace residual::kernels {

// Shortcuts without parameters, for a residual unit that halves height and width and increases the channels.
// Layout NHWC; T is float or bfloat16, arithmetic in float, rounded once. Input and output must not overlap.
// The channel zero-pad puts (out - in) / 2 zero channels before the input's channels and the rest after them.

struct ShortcutShape {
    int batch, height, width, in_channels, out_channels;  // of the input x; out_channels >= in_channels

    RESIDUAL_HD int channels_before() const { return (out_channels - in_channels) / 2; }
    RESIDUAL_HD int pooled_height() const { return height / 2; }
    RESIDUAL_HD int pooled_width() const { return width / 2; }
    RESIDUAL_HD int subsampled_height() const { return (height + 1) / 2; }
    RESIDUAL_HD int subsampled_width() const { return (width + 1) / 2; }
};

// 2x2 average pool with stride 2 (without the last row or column of an odd size), then the channel zero-pad.
// x [batch, height, width, in_channels] -> y [batch, height/2, width/2, out_channels].
// Reads x once and writes y once.
template <class Exec, class T>
void avgpool_zeropad(const Exec& exec, const ShortcutShape& shape, const T* x, T* y);

// dy shaped as y -> dx shaped as x; every element of dx is written, zero if the pool omitted it.
// Reads in_channels of every pixel of dy and writes dx once.
template <class Exec, class T>
void avgpool_zeropad_backward(const Exec& exec, const ShortcutShape& shape, const T* dy, T* dx);

// Every second pixel, x[:, ::2, ::2, :], then the channel zero-pad: option A of He et al. 2015 (Deep Residual
// Learning for Image Recognition), section 3.3.
// x [batch, height, width, in_channels] -> y [batch, ceil(height/2), ceil(width/2), out_channels].
// Reads a quarter of x and writes y once.
template <class Exec, class T>
void subsample_zeropad(const Exec& exec, const ShortcutShape& shape, const T* x, T* y);

// dy shaped as y -> dx shaped as x; every element of dx is written.
// Reads in_channels of every pixel of dy and writes dx once.
template <class Exec, class T>
void subsample_zeropad_backward(const Exec& exec, const ShortcutShape& shape, const T* dy, T* dx);

}  // namespace residual::kernels

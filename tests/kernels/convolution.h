// Shapes of 3x3 convolutions, NHWC, weights [out, 3, 3, in].
#pragma once

#include <cstddef>

#include "kernels/bn_relu_conv.h"
#include "tools/reference/convolution.h"

// Padding as in TensorFlow's "same", or one zero on each side where the output needs it.
enum class Padding { kSame, kSymmetric };

inline void pad_axis(Padding padding, int size, int stride, int& before, int& out_size) {
    if (padding == Padding::kSymmetric) {
        before = 1;
        out_size = (size + 2 - 3) / stride + 1;
    } else {
        out_size = (size + stride - 1) / stride;
        const int total = (out_size - 1) * stride + 3 - size;
        before = total > 0 ? total / 2 : 0;
    }
}

inline residual::kernels::BnReluConvShape bn_relu_conv_shape(int batch, int height, int width, int in_channels,
                                                             int out_channels, int stride, Padding padding) {
    residual::kernels::BnReluConvShape s{batch, height, width, in_channels, out_channels, stride, 0, 0, 0, 0};
    pad_axis(padding, height, stride, s.pad_top, s.out_height);
    pad_axis(padding, width, stride, s.pad_left, s.out_width);
    return s;
}

inline size_t input_size(const residual::kernels::BnReluConvShape& s) {
    return static_cast<size_t>(s.batch) * s.height * s.width * s.in_channels;
}
inline size_t output_size(const residual::kernels::BnReluConvShape& s) {
    return static_cast<size_t>(s.batch) * s.out_height * s.out_width * s.out_channels;
}
inline size_t weight_size(const residual::kernels::BnReluConvShape& s) {
    return size_t{9} * s.in_channels * s.out_channels;
}

inline residual::reference::ConvShape reference_shape(const residual::kernels::BnReluConvShape& s) {
    return {s.batch,  s.height,  s.width,    s.in_channels, s.out_channels, 3,
            s.stride, s.pad_top, s.pad_left, s.out_height,  s.out_width};
}

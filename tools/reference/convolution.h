// A convolution and its two gradients as plain loops in double precision, fast enough for complete networks.
#pragma once

#include "tools/reference/values.h"

namespace residual::reference {

// x [batch, height, width, in_channels], weights [out_channels, kernel, kernel, in_channels], y [batch, out_height,
// out_width, out_channels]; zeros outside the image.
struct ConvShape {
    int batch, height, width, in_channels, out_channels;
    int kernel, stride;
    int pad_top, pad_left;  // Zeros before the first row and column.
    int out_height, out_width;

    size_t taps() const { return static_cast<size_t>(kernel) * kernel; }
    size_t x_elements() const { return static_cast<size_t>(batch) * height * width * in_channels; }
    size_t weight_elements() const { return taps() * in_channels * out_channels; }
    size_t y_elements() const { return static_cast<size_t>(batch) * out_height * out_width * out_channels; }
};

// From a Conv2dParams, with another batch size. A template, because this library does not include engine headers.
template <class Params>
ConvShape conv_shape(const Params& p, int batch) {
    return {batch,    p.height,  p.width,    p.in_channels,  p.out_channels, p.kernel,
            p.stride, p.pad_top, p.pad_left, p.out_height(), p.out_width()};
}
template <class Params>
ConvShape conv_shape(const Params& p) {
    return conv_shape(p, p.batch);
}

Values conv(const ConvShape& s, const Values& x, const Values& weight);
Values conv_dx(const ConvShape& s, const Values& dy, const Values& weight);
Values conv_dweight(const ConvShape& s, const Values& x, const Values& dy);

}  // namespace residual::reference

#include "kernels/cuda/bn_relu_conv_shape.h"

#include <algorithm>

namespace residual::kernels {
namespace {

// Zeros that a convolution needs after the last row or column.
int padding_after(int size, int out_size, int stride, int before) {
    return (out_size - 1) * stride + 3 - before - size;
}

bool at_most_one_pixel(int padding) {
    return padding >= 0 && padding <= 1;
}

}  // namespace

bool bn_relu_conv_supported(const BnReluConvShape& s) {
    const bool narrow = s.in_channels == 16 || s.in_channels == 32;
    const bool channels = (narrow && (s.out_channels == s.in_channels || s.out_channels == 2 * s.in_channels)) ||
                          (s.in_channels == 64 && s.out_channels == 64);
    return channels && (s.stride == 1 || s.stride == 2) && s.batch > 0 && s.out_height > 0 && s.out_width > 0 &&
           at_most_one_pixel(s.pad_top) && at_most_one_pixel(s.pad_left) &&
           at_most_one_pixel(padding_after(s.height, s.out_height, s.stride, s.pad_top)) &&
           at_most_one_pixel(padding_after(s.width, s.out_width, s.stride, s.pad_left));
}

size_t bn_relu_conv_shared_bytes(const BnReluConvShape& shape) {
    return std::max(forward_shared_bytes(shape), backward_shared_bytes(shape));
}

}  // namespace residual::kernels

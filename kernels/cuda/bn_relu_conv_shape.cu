#include "kernels/cuda/bn_relu_conv_shape.h"

#include <algorithm>
#include <iterator>

namespace residual::kernels {
namespace {

// Zeros that a convolution needs after the last row or column.
int padding_after(int size, int out_size, int stride, int before) {
    return (out_size - 1) * stride + 3 - before - size;
}

}  // namespace

bool bn_relu_conv_supported(const BnReluConvShape& s) {
    const bool narrow = s.in_channels == 16 || s.in_channels == 32;
    const bool channels = (narrow && (s.out_channels == s.in_channels || s.out_channels == 2 * s.in_channels)) ||
                          (s.in_channels == 64 && s.out_channels == 64);
    const int paddings[] = {s.pad_top, s.pad_left, padding_after(s.height, s.out_height, s.stride, s.pad_top),
                            padding_after(s.width, s.out_width, s.stride, s.pad_left)};
    return channels && (s.stride == 1 || s.stride == 2) && s.batch > 0 && s.out_height > 0 && s.out_width > 0 &&
           std::all_of(std::begin(paddings), std::end(paddings), [](int p) { return p == 0 || p == 1; });
}

size_t bn_relu_conv_shared_bytes(const BnReluConvShape& shape) {
    return std::max(forward_shared_bytes(shape), backward_shared_bytes(shape));
}

}  // namespace residual::kernels

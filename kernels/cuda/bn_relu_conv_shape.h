// What both directions of the fused BN-ReLU-conv unit ask of its shape, on the host.
#pragma once

#include <cstddef>

#include "kernels/bn_relu_conv.h"

namespace residual::kernels {

// Shared memory of a block of the forward kernel, and of the hungrier of the backward ones; bn_relu_conv_shared_bytes()
// is the larger. The shape is a supported one.
size_t forward_shared_bytes(const BnReluConvShape& shape);
size_t backward_shared_bytes(const BnReluConvShape& shape);

// visit.operator()<In, Out, Stride>() for the channels and the stride of a supported shape: each combination is a
// kernel of its own.
template <int In, int Out, class Visit>
auto with_stride(const BnReluConvShape& shape, Visit visit) {
    return shape.stride == 1 ? visit.template operator()<In, Out, 1>() : visit.template operator()<In, Out, 2>();
}
template <class Visit>
auto with_bn_relu_conv(const BnReluConvShape& shape, Visit visit) {
    const bool widens = shape.out_channels > shape.in_channels;
    if (shape.in_channels == 16) return widens ? with_stride<16, 32>(shape, visit) : with_stride<16, 16>(shape, visit);
    if (shape.in_channels == 32) return widens ? with_stride<32, 64>(shape, visit) : with_stride<32, 32>(shape, visit);
    return with_stride<64, 64>(shape, visit);
}

}  // namespace residual::kernels

// Shared memory and dispatch by shape, for both directions of the fused BN-ReLU-conv.
#pragma once

#include <cstddef>

#include "kernels/bn_relu_conv.h"

namespace residual::kernels {

// Shared memory per block of the forward kernel, and the most that any backward kernel needs, for a supported shape.
size_t forward_shared_bytes(const BnReluConvShape& shape);
size_t backward_shared_bytes(const BnReluConvShape& shape);

// Calls visit.operator()<In, Out, Stride>() with the channels and the stride of a supported shape.
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

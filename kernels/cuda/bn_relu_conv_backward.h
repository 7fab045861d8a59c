// The one-kernel and two-kernel forms of the fused backward and their memory traffic, for the launcher and the tests.
// docs/fused-step.md has the table for the networks' shapes.
#pragma once

#include "kernels/bn_relu_conv.h"

namespace residual::kernels {

bool bn_relu_conv_backward_has_one_kernel(const BnReluConvShape& shape);

// Bytes that a form moves, with the gradient of the moments and without dy_whole, dp and accumulation, plus idle time
// expressed in bytes.
struct BackwardBytes {
    double activations = 0;   // every read and write of dy, y, x and dx, with the halos inside the images
    double weights = 0;       // once per block
    double partial_sums = 0;  // written and read, per block and per group of blocks (see sum_rows)
    double waiting = 0;       // most SMs are idle while few add the partial sums; latency of a second launch

    double total() const { return activations + weights + partial_sums + waiting; }
};
BackwardBytes bn_relu_conv_backward_bytes(const BnReluConvShape& shape, int kernels);

// bn_relu_conv_backward with 1 or 2 kernels.
template <class Exec>
void bn_relu_conv_backward_form(const Exec& exec, const BnReluConvShape& shape, const BnReluConvBackward& b,
                                const SumScratch& scratch, int kernels);

}  // namespace residual::kernels

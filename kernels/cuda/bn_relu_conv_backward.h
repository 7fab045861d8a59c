// The two forms of the fused backward, and what each costs: for the launcher, and for tests, which compare them with
// each other. docs/fused-step.md has the table for the networks' shapes.
#pragma once

#include "kernels/bn_relu_conv.h"

namespace residual::kernels {

// 64 -> 64 channels have none: the sums of their weight gradient alone would be 144 of a thread's registers.
bool bn_relu_conv_backward_has_one_kernel(const BnReluConvShape& shape);

// Bytes that a form moves, with the statistics' gradient and without dy_whole, dp and accumulation; and the bytes that
// could have been moved while the GPU does something else.
struct BackwardBytes {
    double activations = 0;   // dy, y, x, dx with the halos inside the images, as often as a kernel reads them
    double weights = 0;       // once a block
    double partial_sums = 0;  // of all blocks: written and read, and those of the groups (see sum_rows)
    double waiting = 0;       // few processors add them up while the others wait; a second launch

    double total() const { return activations + weights + partial_sums + waiting; }
};
BackwardBytes bn_relu_conv_backward_bytes(const BnReluConvShape& shape, int kernels);

// bn_relu_conv_backward in the form asked for, 1 kernel or 2.
template <class Exec>
void bn_relu_conv_backward_form(const Exec& exec, const BnReluConvShape& shape, const BnReluConvBackward& b,
                                const SumScratch& scratch, int kernels);

}  // namespace residual::kernels

// What the fused operations take beside tensors.
#pragma once

#include "tools/bench/kernel_bench/cases.h"

namespace residual::bench {

// Throws NotOffered where the backend has none.
FusedOps& fused_ops(Backend& backend);

// The gradients of the mean and variance of y, as the operation that made y takes them.
struct MomentsOperands {
    MomentsOperands(Operands& o, const Operand& y);

    // dy, given with the moments of y held fixed, and what these gradients bring.
    Values whole(const Operand& y, const Operand& dy) const;

    double rows;
    Operand mean, dmean, dvariance;
    MomentsGradient gradient;
};

// What the backward of a batch norm of `channels` channels writes, with the gradients of its moments.
BatchNormGradients batch_norm_gradients(Operands& o, int channels);

// How a backward pass treats the moments of x: its dx goes through them, or holds them fixed and returns their
// gradients.
enum class MomentsOf { kWhole, kFixed };

// The gradients of x behind a batch norm and of what the batch norm learns, as outputs to be checked, from the gradient
// `dp` of the normalised input; `before` is what dx held, if it is added to.
std::vector<Output> batch_norm_backward_outputs(const reference::BatchNorm& batch_norm, const Operand& x,
                                                std::function<Values()> dp, MomentsOf moments, const Tensor& dx,
                                                const Operand& before, const BatchNormGradients& gradients,
                                                double repeats);

// Running statistics that an application of a batch norm moves, as every training step does.
RunningUpdate running_update(Operands& o, int channels);

}  // namespace residual::bench

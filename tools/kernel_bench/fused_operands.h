// What the fused operations take beside tensors.
#pragma once

#include "tools/kernel_bench/cases.h"

namespace bench {

// Throws NotOffered where the backend has none.
engine::FusedOps& fused_ops(Backend& backend);

// The gradients of the mean and variance of y, as the operation that made y takes them.
struct MomentsOperands {
    MomentsOperands(Operands& o, const Operand& y);

    // dy, given with the moments of y held fixed, and what these gradients bring.
    Values whole(const Operand& y, const Operand& dy) const;

    double rows;
    Operand mean, dmean, dvariance;
    engine::MomentsGradient gradient;
};

// What the backward of a norm of `channels` channels writes, with the gradients of its moments.
engine::NormGradients norm_gradients(Operands& o, int channels);

// How a backward pass treats the moments of x: its dx goes through them, or holds them fixed and returns their
// gradients.
enum class MomentsOf { kWhole, kFixed };

// The gradients of x behind a norm and of what the norm learns, as outputs to be checked, from the gradient `dp` of the
// normalised input; `before` is what dx held, if it is added to.
std::vector<Output> norm_backward_outputs(const reference::BatchNorm& norm, const Operand& x,
                                          std::function<Values()> dp, MomentsOf moments, const Tensor& dx,
                                          const Operand& before, const engine::NormGradients& gradients,
                                          double repeats);

// Running statistics that an application of a norm moves, as every training step does.
engine::RunningUpdate running_update(Operands& o, int channels);

}  // namespace bench

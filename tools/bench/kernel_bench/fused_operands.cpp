#include "tools/bench/kernel_bench/fused_operands.h"

namespace residual::bench {

FusedOps& fused_ops(Backend& backend) {
    FusedOps* fused = backend.fused();
    if (fused == nullptr) throw NotOffered("this device has no fused operations");
    return *fused;
}

MomentsOperands::MomentsOperands(Operands& o, const Operand& y)
    : rows(static_cast<double>(y.tensor.elements() / y.tensor.shape()[-1])),
      mean(o.parameter({y.tensor.shape()[-1]}, DType::kFloat32, -0.5, 0.5)),
      dmean(o.parameter({y.tensor.shape()[-1]}, DType::kFloat32, -rows / 4, rows / 4)),
      dvariance(o.parameter({y.tensor.shape()[-1]}, DType::kFloat32, -rows / 8, rows / 8)),
      gradient{mean.tensor, dmean.tensor, dvariance.tensor} {}

Values MomentsOperands::whole(const Operand& y, const Operand& dy) const {
    return plus(*dy.values, reference::moments_dx(*y.values, *mean.values, {*dmean.values, *dvariance.values}, rows));
}

BatchNormGradients batch_norm_gradients(Operands& o, int channels) {
    const auto vector = [&] { return o.result({channels}, DType::kFloat32); };
    return {vector(), vector(), vector(), vector()};
}

std::vector<Output> batch_norm_backward_outputs(const reference::BatchNorm& batch_norm, const Operand& x,
                                                std::function<Values()> dp, MomentsOf moments, const Tensor& dx,
                                                const Operand& before, const BatchNormGradients& gradients,
                                                double repeats) {
    const bool fixed = moments == MomentsOf::kFixed;
    const auto masked = once([batch_norm, x, dp] { return batch_norm.masked(*x.values, dp()); });
    const auto sums = once([batch_norm, x, masked] { return batch_norm.sums(*x.values, masked()); });
    const auto dx_values = [batch_norm, x, masked, fixed, before] {
        Values values = fixed ? batch_norm.dx_fixed(masked()) : batch_norm.dx(*x.values, masked());
        return before.tensor.defined() ? plus(std::move(values), *before.values) : values;
    };
    std::vector<Output> outputs{{"dx", dx, dx_values},
                                {"dgamma", gradients.dgamma, [sums] { return sums().dgamma; }, repeats},
                                {"dbeta", gradients.dbeta, [sums] { return sums().dbeta; }, repeats}};
    if (!fixed) return outputs;
    const auto of_moments = [batch_norm, sums] { return batch_norm.moments_gradient(sums()); };
    outputs.push_back({"dmean", gradients.dmean, [of_moments] { return of_moments().mean; }, repeats});
    outputs.push_back({"dvariance", gradients.dvariance, [of_moments] { return of_moments().variance; }, repeats});
    return outputs;
}

RunningUpdate running_update(Operands& o, int channels) {
    constexpr float kDecay = 0.99f;
    const auto vector = [&] { return o.parameter({channels}, DType::kFloat32, 0.5, 1.5).tensor; };
    return {{vector(), vector()}, kDecay};
}

}  // namespace residual::bench

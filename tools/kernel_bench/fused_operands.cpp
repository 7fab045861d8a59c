#include "tools/kernel_bench/fused_operands.h"

namespace bench {

engine::FusedOps& fused_ops(Backend& backend) {
    engine::FusedOps* fused = backend.fused();
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
    Values values = *dy.values;
    for (size_t i = 0; i < values.size(); ++i) {
        const size_t c = i % mean.values->size();
        const double centred = (*y.values)[i] - (*mean.values)[c];
        values[i] += ((*dmean.values)[c] + 2 * (*dvariance.values)[c] * centred) / rows;
    }
    return values;
}

engine::NormGradients norm_gradients(Operands& o, int channels) {
    const auto vector = [&] { return o.result({channels}, DType::kFloat32); };
    return {vector(), vector(), vector(), vector()};
}

std::vector<Output> norm_backward_outputs(const NormReference& reference, const Operand& x, std::function<Values()> dp,
                                          MomentsOf moments, const Tensor& dx, const Operand& before,
                                          const engine::NormGradients& gradients, double repeats) {
    const bool fixed = moments == MomentsOf::kFixed;
    const auto sums = once([reference, x, dp] { return reference.sums(*x.values, dp()); });
    const auto dx_values = [reference, x, dp, fixed, before] {
        Values values = fixed ? reference.dx_fixed(*x.values, dp()) : reference.dx(*x.values, dp());
        return before.tensor.defined() ? plus(std::move(values), *before.values) : values;
    };
    std::vector<Output> outputs{{"dx", dx, dx_values},
                                {"dgamma", gradients.dgamma, [sums] { return sums().dgamma; }, repeats},
                                {"dbeta", gradients.dbeta, [sums] { return sums().dbeta; }, repeats}};
    if (!fixed) return outputs;
    const auto of_moments = [reference, sums] { return reference.moments_gradient(sums()); };
    outputs.push_back({"dmean", gradients.dmean, [of_moments] { return of_moments().dmean; }, repeats});
    outputs.push_back({"dvariance", gradients.dvariance, [of_moments] { return of_moments().dvariance; }, repeats});
    return outputs;
}

engine::RunningUpdate running_update(Operands& o, int channels) {
    constexpr float kDecay = 0.99f;
    const auto vector = [&] { return o.parameter({channels}, DType::kFloat32, 0.5, 1.5).tensor; };
    return {{vector(), vector()}, kDecay};
}

}  // namespace bench

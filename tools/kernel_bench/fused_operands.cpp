#include "tools/kernel_bench/fused_operands.h"

namespace bench {

engine::FusedOps& fused_ops(Backend& backend) {
    engine::FusedOps* fused = backend.fused();
    if (fused == nullptr) throw NotOffered("this device has no fused operations");
    return *fused;
}

StatsPart::StatsPart(Operands& o, const Operand& y)
    : norm(o.norm_of(y, true)), rows(static_cast<double>(y.tensor.elements() / y.tensor.shape()[-1])) {
    const Shape channels{y.tensor.shape()[-1]};
    const Operand dgamma = o.parameter(channels, DType::kFloat32, -rows / 4, rows / 4);
    const Operand dbeta = o.parameter(channels, DType::kFloat32, -rows / 4, rows / 4);
    sums = {*dgamma.values, *dbeta.values};
    gradient = {norm.params.stats, norm.params.gamma, dgamma.tensor, dbeta.tensor, norm.params.epsilon};
}

Values StatsPart::whole(const Operand& y, const Operand& dy) const {
    return plus(*dy.values, norm.reference.stats_part(*y.values, sums, rows));
}

engine::RunningUpdate running_update(Operands& o, int channels) {
    constexpr float kDecay = 0.99f;
    const auto vector = [&] { return o.parameter({channels}, DType::kFloat32, 0.5, 1.5).tensor; };
    return {{vector(), vector()}, kDecay};
}

}  // namespace bench

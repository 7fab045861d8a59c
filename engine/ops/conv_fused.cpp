// Convolutions that a device does in one pass, together with what surrounds them. Their gradients leave the part that
// flows through batch statistics to whoever produced the tensor: see Variable::stats_gradient.
#include "engine/ops/conv_forms.h"

namespace engine::ops {

namespace {

struct Saved {
    ConvOperands in;
    Variable y, p;

    HalfUnit unit() const {
        return {in.params,
                in.norm->params(),
                in.x.value(),
                in.weight.value(),
                in.residual.defined() ? in.residual.value() : Tensor(),
                in.pools_residual};
    }
};

const StatsGradient* outstanding_part(const Variable& y) {
    return y.stats_gradient() ? &*y.stats_gradient() : nullptr;
}

// The gradient of the residual is that of y, brought to the residual's shape.
void add_residual_grad(Backend& backend, const ConvOperands& in, const Tensor& dy) {
    Tensor dresidual = dy;
    if (in.pools_residual) {
        dresidual = backend.empty(in.residual.shape(), dy.dtype());
        backend.shortcut_backward(ShortcutKind::kAveragePool, dy, dresidual);
    }
    in.residual.add_grad(backend, dresidual);
}

void backward(Backend& backend, FusedOps& fused, const Saved& s) {
    const ConvOperands& in = s.in;
    const Norm& norm = *in.norm;
    check_used_once(backend, norm);
    const Tensor dy = s.y.grad_with_fixed_stats();
    const StatsGradient* part = outstanding_part(s.y);
    const bool residual_learns = in.residual.requires_grad();
    HalfUnitGradients gradients{{},
                                false,
                                in.weight.grad_target(backend, DType::kFloat32),
                                norm.gamma.grad_target(backend, DType::kFloat32),
                                norm.beta.grad_target(backend, DType::kFloat32),
                                residual_learns && part ? backend.empty(dy.shape(), dy.dtype()) : Tensor()};
    if (s.p.defined()) s.p.settle(backend);
    const Tensor dp = s.p.defined() ? s.p.grad() : Tensor();
    const auto write = [&](const Tensor& dx, bool accumulate) {
        gradients.dx = dx;
        gradients.accumulate = accumulate;
        fused.half_unit_backward(s.unit(), s.y.value(), dy, part, dp, gradients);
    };
    const Tensor scratch = backend.empty(in.x.shape(), in.x.value().dtype());
    if (in.x.requires_grad()) {
        in.x.accumulate_grad(backend, scratch, write);
        in.x.set_stats_gradient(backend,
                                {norm.stats, norm.gamma.value(), gradients.dgamma, gradients.dbeta, norm.epsilon});
    } else {
        write(scratch, false);
    }
    in.weight.add_grad(backend, gradients.dweight);
    norm.gamma.add_grad(backend, gradients.dgamma);
    norm.beta.add_grad(backend, gradients.dbeta);
    if (residual_learns) add_residual_grad(backend, in, part ? gradients.dy_whole : dy);
}

}  // namespace

bool pools_to(const Shape& residual, const Shape& y) {
    return residual.rank() == 4 && residual[0] == y[0] && residual[1] == 2 * y[1] && residual[2] == 2 * y[2] &&
           residual[3] * 2 == y[3];
}

ConvResult half_unit_conv(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats,
                          bool want_p) {
    Backend& backend = context.backend;
    const Norm& norm = *operands.norm;
    const DType dtype = operands.x.value().dtype();
    const HalfUnitResult made{backend.empty(operands.params.output_shape(), dtype),
                              want_stats ? empty_stats(backend, operands.params.out_channels) : BatchStats(),
                              want_p ? backend.empty(operands.x.shape(), dtype) : Tensor()};
    const bool records = operands.recorded(context);
    const Saved saved{operands, Variable(made.y, records), want_p ? Variable(made.p, records) : Variable()};
    fused.half_unit(saved.unit(), {norm.running, norm.decay}, made);
    if (records) {
        std::vector<Variable> outputs{saved.y};
        if (want_p) outputs.push_back(saved.p);
        context.tape->record(
            std::move(outputs), [&backend, &fused, saved] { backward(backend, fused, saved); },
            Tape::StatsGradients::kTaken);
    }
    return {saved.y, made.stats, saved.p};
}

ConvResult stem_conv(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats) {
    Backend& backend = context.backend;
    const auto& [params, x, weight, norm, residual, pools_residual] = operands;
    const Tensor made = backend.empty(params.output_shape(), x.value().dtype());
    const BatchStats stats = want_stats ? empty_stats(backend, params.out_channels) : BatchStats();
    fused.stem(params, x.value(), weight.value(), made, stats);
    const Variable y(made, context.records(weight));
    if (y.requires_grad()) {
        context.tape->record(
            {y},
            [&backend, &fused, params = params, x = x, weight = weight, y] {
                weight.write_grad(backend, DType::kFloat32, [&](const Tensor& dw) {
                    fused.stem_backward(params, x.value(), y.value(), y.grad_with_fixed_stats(), outstanding_part(y),
                                        dw);
                });
            },
            Tape::StatsGradients::kTaken);
    }
    return {y, stats, {}};
}

}  // namespace engine::ops

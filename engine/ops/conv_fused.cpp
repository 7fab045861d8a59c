// ops::conv as one fused operation of the device. Its backward adds the terms from the gradients of y's moments to dy
// as it loads it. It returns dx with the moments of x held fixed, and the gradients of those moments separately.
#include "engine/ops/conv_impl.h"

namespace residual::ops {

namespace {

struct Saved {
    ConvOperands in;
    ConvResult out;

    BnReluConv unit() const {
        return {in.params,
                in.batch_norm->params(),
                in.x.value(),
                in.weight.value(),
                in.residual.defined() ? in.residual.value() : Tensor(),
                in.pools_residual};
    }
};

// The kernels always read a gradient of y.
Tensor gradient_or_zeros(Backend& backend, const Variable& y) {
    return y.has_grad() ? y.grad() : backend.zeros(y.shape(), y.value().dtype());
}

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
    const BatchNorm& batch_norm = *in.batch_norm;
    const Tensor dy = gradient_or_zeros(backend, s.out.y);
    const MomentsGradient moments = s.out.stats.gradient();
    const bool through_moments = moments.mean.defined();
    const bool residual_learns = in.residual.requires_grad();
    BnReluConvGradients gradients{
        {},
        false,
        in.weight.grad_target(backend),
        batch_norm_grad_targets(backend, batch_norm, batch_norm.moments.mean.requires_grad()),
        residual_learns && through_moments ? backend.empty(dy.shape(), dy.dtype()) : Tensor()};
    const Tensor dp = s.out.p.has_grad() ? s.out.p.grad() : Tensor();
    const auto write = [&](const Tensor& dx, bool accumulate) {
        gradients.dx = dx;
        gradients.accumulate = accumulate;
        fused.bn_relu_conv_backward(s.unit(), s.out.y.value(), dy, moments, dp, gradients);
    };
    const Tensor scratch = backend.empty(in.x.shape(), in.x.value().dtype());
    in.x.accumulate_grad(backend, scratch, write);
    in.weight.add_grad(backend, gradients.dweight);
    add_batch_norm_grads(backend, batch_norm, gradients.batch_norm);
    if (residual_learns) add_residual_grad(backend, in, through_moments ? gradients.dy_whole : dy);
}

}  // namespace

ConvResult fused_bn_relu_conv(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats,
                              bool want_p) {
    Backend& backend = context.backend;
    const bool records = operands.must_record(context);
    const DType dtype = operands.x.value().dtype();
    const Shape y = operands.params.output_shape();
    const Saved saved{operands,
                      {.y = Variable(backend.empty(y, dtype), records),
                       .stats = want_stats ? empty_moments(backend, y, records) : Moments(),
                       .p = want_p ? Variable(backend.empty(operands.x.shape(), dtype), records) : Variable()}};
    const ConvResult& out = saved.out;
    fused.bn_relu_conv(
        saved.unit(), operands.batch_norm->running_update(),
        {out.y.value(), want_stats ? out.stats.values() : BatchStats(), want_p ? out.p.value() : Tensor()});
    if (records) {
        context.tape->record(out.outputs(), [&backend, &fused, saved] { backward(backend, fused, saved); });
    }
    return out;
}

ConvResult fused_stem(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats) {
    Backend& backend = context.backend;
    const auto& [params, x, weight, batch_norm, residual, pools_residual] = operands;
    const bool records = context.records(weight);
    const Shape shape = params.output_shape();
    const ConvResult out{.y = Variable(backend.empty(shape, x.value().dtype()), records),
                         .stats = want_stats ? empty_moments(backend, shape, records) : Moments()};
    fused.stem(params, x.value(), weight.value(), out.y.value(), want_stats ? out.stats.values() : BatchStats());
    if (records) {
        context.tape->record(out.outputs(), [&backend, &fused, params = params, x = x, weight = weight, out] {
            const Tensor dw = weight.grad_target(backend);
            fused.stem_backward(params, x.value(), out.y.value(), gradient_or_zeros(backend, out.y),
                                out.stats.gradient(), dw);
            weight.add_grad(backend, dw);
        });
    }
    return out;
}

}  // namespace residual::ops

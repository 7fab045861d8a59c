// Half of a pre-activation residual unit, y = conv(max(batch_norm(x), 0)) + residual with the statistics of y, and its
// gradients: as a sequence of the backend's operations, as ops::conv composes it, and fused.
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/convolution.h"
#include "tools/bench/kernel_bench/fused_operands.h"
#include "tools/bench/kernel_bench/shortcut_reference.h"

namespace residual::bench {

namespace {

FusedOps& fused_bn_relu_conv(Operands& o, const Convolution& conv) {
    FusedOps& fused = fused_ops(o.backend());
    if (!fused.has_bn_relu_conv(conv.params, o.activations())) throw NotOffered("no fused kernel for this shape");
    return fused;
}

// Undefined where the layer has none.
Operand residual_of(Operands& o, const Layer& layer, const Convolution& conv) {
    if (layer.residual == Residual::kNone) return {};
    if (layer.residual == Residual::kIdentity) return o.activation(conv.output_image());
    const auto& p = conv.params;
    return o.activation({2 * p.out_height(), 2 * p.out_width(), p.out_channels / 2});
}

double bytes_if_defined(const Tensor& tensor) {
    return tensor.defined() ? bytes_of({tensor}) : 0.0;
}

struct Forward {
    Forward(Operands& o, const Layer& l)
        : layer(l),
          conv(o, l),
          batch_norm(o.batch_norm_of(conv.x, true)),
          running(running_update(o, l.channels)),
          residual(residual_of(o, l, conv)),
          y(o.result(conv.params.output_shape(), o.activations())),
          stats(o.stats_result(l.out_channels)) {}

    Values sum() const {
        const auto& p = conv.params;
        Values y_values =
            reference::conv(conv.distinct, batch_norm.reference.forward(*conv.x.values), *conv.weight.values);
        if (layer.residual == Residual::kIdentity) return plus(std::move(y_values), *residual.values);
        if (layer.residual == Residual::kNone) return y_values;
        return plus(std::move(y_values), avgpool_pad_reference(*residual.values, 2 * p.out_height(), 2 * p.out_width(),
                                                               p.out_channels / 2, p.out_channels));
    }

    Trial trial(std::function<void()> run) const {
        const auto y_values = once([f = *this] { return f.sum(); });
        const auto reference =
            once([y_values, c = layer.out_channels] { return reference::moments_of(y_values(), c); });
        return {std::move(run),
                {{"y", y, [y_values] { return y_values(); }},
                 {"mean", stats.mean, [reference] { return reference().mean; }},
                 {"variance", stats.variance, [reference] { return reference().variance; }}},
                bytes_of({conv.x.tensor, conv.weight.tensor, y}) + bytes_if_defined(residual.tensor),
                conv.flops()};
    }

    Layer layer;
    Convolution conv;
    BatchNormOperands batch_norm;
    RunningUpdate running;
    Operand residual;
    Tensor y;
    BatchStats stats;
};

// In the first half of a unit x also feeds the shortcut, whose gradient dx holds already; in the second half the
// residual's gradient is dy.
struct Backward {
    Backward(Operands& o, const Layer& l)
        : layer(l),
          conv(o, l),
          batch_norm(o.batch_norm_of(conv.x, true)),
          dy(o.activation(conv.output_image())),
          before(accumulates() ? o.activation({l.height, l.width, l.channels}) : Operand()),
          dx(accumulates() ? before.tensor : o.result_like(conv.x.tensor)),
          dweight(o.result(conv.params.weight_shape(), DType::kFloat32)),
          gradients(batch_norm_gradients(o, l.channels)) {}

    bool accumulates() const { return layer.residual == Residual::kNone; }

    Trial trial(std::function<void()> run, std::function<Values()> whole_dy, MomentsOf moments, double repeats,
                double bytes) const {
        const auto whole = once(std::move(whole_dy));
        const auto dp = once([whole, c = conv] { return reference::conv_dx(c.distinct, whole(), *c.weight.values); });
        const auto dw_values = [whole, b = *this] {
            return reference::conv_dweight(b.conv.distinct, b.batch_norm.reference.forward(*b.conv.x.values), whole());
        };
        bytes += bytes_of({dy.tensor, conv.x.tensor, conv.weight.tensor, dx, dweight});
        if (accumulates()) bytes += bytes_of({dx});
        std::vector<Output> outputs =
            batch_norm_backward_outputs(batch_norm.reference, conv.x, dp, moments, dx, before, gradients, repeats);
        outputs.push_back({"dweight", dweight, dw_values, repeats});
        return {std::move(run), std::move(outputs), bytes, 2 * conv.flops()};
    }

    Layer layer;
    Convolution conv;
    BatchNormOperands batch_norm;
    Operand dy, before;
    Tensor dx, dweight;
    BatchNormGradients gradients;
};

}  // namespace

Trial bn_relu_conv(Operands& o, const Layer& layer) {
    const Forward f(o, layer);
    return f.trial([&backend = o.backend(), f] {
        const Tensor& x = f.conv.x.tensor;
        backend.update_running(f.batch_norm.params.stats, x.elements() / x.shape()[-1], f.running.decay,
                               f.running.running);
        const Tensor p = backend.empty(x.shape(), x.dtype());
        backend.batch_norm(f.batch_norm.params, x, {}, p);
        backend.conv2d(f.conv.params, p, f.conv.weight.tensor, f.y);
        Tensor residual = f.residual.tensor;
        if (f.layer.residual == Residual::kAveragePool) {
            residual = backend.empty(f.y.shape(), f.y.dtype());
            backend.shortcut(ShortcutKind::kAveragePool, f.residual.tensor, residual);
        }
        if (residual.defined()) {
            backend.add_batch_stats(residual, f.y, f.stats);
        } else {
            backend.batch_stats(f.y, f.stats);
        }
    });
}

Trial bn_relu_conv_fused(Operands& o, const Layer& layer) {
    const Forward f(o, layer);
    FusedOps& fused = fused_bn_relu_conv(o, f.conv);
    const BnReluConv unit{f.conv.params,        f.batch_norm.params, f.conv.x.tensor,
                          f.conv.weight.tensor, f.residual.tensor,   layer.residual == Residual::kAveragePool};
    return f.trial([&fused, unit, f] { fused.bn_relu_conv(unit, f.running, {f.y, f.stats, {}}); });
}

Trial bn_relu_conv_dx(Operands& o, const Layer& layer) {
    const Backward b(o, layer);
    const auto run = [&backend = o.backend(), b] {
        const Tensor& x = b.conv.x.tensor;
        {
            const Tensor p = backend.empty(x.shape(), x.dtype());
            backend.batch_norm(b.batch_norm.params, x, {}, p);
            backend.conv2d_backward_weight(b.conv.params, p, b.dy.tensor, b.dweight);
        }
        const Tensor dp = backend.empty(x.shape(), x.dtype());
        backend.conv2d_backward_data(b.conv.params, b.dy.tensor, b.conv.weight.tensor, dp);
        backend.batch_norm_backward(b.batch_norm.params, x, dp, b.dx, b.accumulates(),
                                    {b.gradients.dgamma, b.gradients.dbeta});
    };
    return b.trial(
        run, [dy = b.dy] { return *dy.values; }, MomentsOf::kWhole, o.repeats(), 0.0);
}

// Also reads y, to add what the gradients of its moments bring, and where a residual needs the sum writes it
// down; in the composed form that gradient is there already, because norm_backward of the next layer has read y for it.
Trial bn_relu_conv_dx_fused(Operands& o, const Layer& layer) {
    const Backward b(o, layer);
    FusedOps& fused = fused_bn_relu_conv(o, b.conv);
    const Operand y = o.activation(b.conv.output_image());
    const MomentsOperands moments(o, y);
    const Tensor dy_whole = layer.residual == Residual::kNone ? Tensor() : o.result_like(y.tensor);
    const BnReluConv unit{b.conv.params, b.batch_norm.params, b.conv.x.tensor, b.conv.weight.tensor};
    const BnReluConvGradients gradients{b.dx, b.accumulates(), b.dweight, b.gradients, dy_whole};
    const auto run = [&fused, unit, y, b, moments, gradients] {
        fused.bn_relu_conv_backward(unit, y.tensor, b.dy.tensor, moments.gradient, {}, gradients);
    };
    const auto whole = once([moments, y, dy = b.dy] { return moments.whole(y, dy); });
    Trial trial =
        b.trial(run, whole, MomentsOf::kFixed, o.repeats(), bytes_of({y.tensor}) + bytes_if_defined(dy_whole));
    if (dy_whole.defined()) trial.outputs.push_back({"dy_whole", dy_whole, [whole] { return whole(); }});
    return trial;
}

}  // namespace residual::bench

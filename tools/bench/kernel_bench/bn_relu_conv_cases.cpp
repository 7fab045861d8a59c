// BN-ReLU-conv of a pre-activation unit, y = conv(max(batch_norm(x), 0)) + residual with the statistics of y, and its
// gradients: as the sequence of the backend's operations that ops::conv composes, and fused.
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/convolution.h"
#include "tools/reference/operations.h"

namespace residual::bench {

namespace {

FusedOps& fused_bn_relu_conv(Operands& o, const Convolution& conv) {
    return fused_ops(o.backend(),
                     [&](FusedOps& fused) { return fused.has_bn_relu_conv(conv.params, o.activations()); });
}

// Undefined if the layer has none.
Operand residual_of(Operands& o, const Layer& layer, const Convolution& conv) {
    if (layer.residual == Residual::kNone) return {};
    if (layer.residual == Residual::kIdentity) return o.activation(conv.output_image());
    const auto& p = conv.params;
    return o.activation({2 * p.out_height(), 2 * p.out_width(), p.out_channels / 2});
}

struct Forward {
    Forward(Operands& o, const Layer& l)
        : layer(l),
          conv(o, l),
          batch_norm(o.batch_norm_of(conv.x)),
          running(o.running_update(l.channels)),
          residual(residual_of(o, l, conv)),
          y(o.activation_result(conv.output_image())),
          stats(o.stats_result(l.out_channels)) {}

    Values sum() const {
        Values values = conv.forward(batch_norm.reference.forward(*conv.x.values));
        if (layer.residual == Residual::kNone) return values;
        if (layer.residual == Residual::kIdentity) return plus(std::move(values), *residual.values);
        const auto& p = conv.params;
        const reference::Shortcut shortcut{2 * p.out_width(), p.out_channels / 2, p.out_channels, true};
        return plus(std::move(values), shortcut.forward(*residual.values));
    }

    Trial trial(std::function<void()> run) const {
        const auto y_values = once([f = *this] { return f.sum(); });
        auto outputs = stats_outputs(stats, y_values);
        outputs.push_back({"y", y, y_values});
        return {std::move(run), std::move(outputs), bytes_of({conv.x.tensor, conv.weight.tensor, y, residual.tensor}),
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

// In the first BN-ReLU-conv of a unit x also feeds the shortcut, whose gradient dx already holds; in the second the
// gradient of the residual is dy.
struct Backward {
    Backward(Operands& o, const Layer& l, bool fused)
        : accumulates(l.residual == Residual::kNone),
          conv(o, l),
          batch_norm(o.batch_norm_of(conv.x)),
          dy(o.activation(conv.output_image())),
          before(accumulates ? o.activation(l.image()) : Operand()),
          dx(accumulates ? before.tensor : o.result_like(conv.x.tensor)),
          dweight(o.result(conv.params.weight_shape())),
          gradients(o.batch_norm_gradients(l.channels, fused)),
          repeats(o.repeats()) {}

    Trial trial(std::function<void()> run, std::function<Values()> whole_dy) const {
        const auto whole = once(std::move(whole_dy));
        const auto dp = once([whole, c = conv] { return reference::conv_dx(c.distinct, whole(), *c.weight.values); });
        const auto dw_values = [whole, b = *this] {
            return reference::conv_dweight(b.conv.distinct, b.batch_norm.reference.forward(*b.conv.x.values), whole());
        };
        auto outputs = batch_norm_outputs(batch_norm.reference, conv.x, dp, dx, before, gradients, repeats);
        outputs.push_back({"dweight", dweight, dw_values, repeats});
        return {std::move(run), std::move(outputs),
                bytes_of({dy.tensor, conv.x.tensor, conv.weight.tensor, dx, dweight, before.tensor}), 2 * conv.flops()};
    }

    bool accumulates;
    Convolution conv;
    BatchNormOperands batch_norm;
    Operand dy, before;
    Tensor dx, dweight;
    BatchNormGradients gradients;
    double repeats;
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
    const Backward b(o, layer, false);
    const auto run = [&backend = o.backend(), b] {
        const Tensor& x = b.conv.x.tensor;
        {
            const Tensor p = backend.empty(x.shape(), x.dtype());
            backend.batch_norm(b.batch_norm.params, x, {}, p);
            backend.conv2d_backward_weight(b.conv.params, p, b.dy.tensor, b.dweight);
        }
        const Tensor dp = backend.empty(x.shape(), x.dtype());
        backend.conv2d_backward_data(b.conv.params, b.dy.tensor, b.conv.weight.tensor, dp);
        backend.batch_norm_backward(b.batch_norm.params, x, dp, b.dx, b.accumulates, b.gradients);
    };
    return b.trial(run, [dy = b.dy] { return *dy.values; });
}

// Also reads y, to add the gradient through y's moments, and writes the sum if a residual needs it. In the composed
// form the batch norm of the next layer has already added it.
Trial bn_relu_conv_dx_fused(Operands& o, const Layer& layer) {
    const Backward b(o, layer, true);
    FusedOps& fused = fused_bn_relu_conv(o, b.conv);
    const Operand y = o.activation(b.conv.output_image());
    const MomentsOperands moments = o.moments_of(y);
    const Tensor dy_whole = b.accumulates ? Tensor() : o.result_like(y.tensor);
    const BnReluConv unit{b.conv.params, b.batch_norm.params, b.conv.x.tensor, b.conv.weight.tensor};
    const BnReluConvGradients gradients{b.dx, b.accumulates, b.dweight, b.gradients, dy_whole};
    const auto whole = once([moments, y, dy = b.dy] { return moments.whole(y, dy); });
    Trial trial = b.trial(
        [&fused, unit, y, b, moments, gradients] {
            fused.bn_relu_conv_backward(unit, y.tensor, b.dy.tensor, moments.gradient, {}, gradients);
        },
        whole);
    trial.bytes += bytes_of({y.tensor, dy_whole});
    if (dy_whole.defined()) trial.outputs.push_back({"dy_whole", dy_whole, whole});
    return trial;
}

}  // namespace residual::bench

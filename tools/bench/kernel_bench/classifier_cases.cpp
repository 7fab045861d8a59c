// A network's end together, batch norm, ReLU, global average pool and linear layer: as a sequence of the backend's
// operations, and fused.
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/fused_operands.h"
#include "tools/bench/kernel_bench/linear_reference.h"

namespace residual::bench {

namespace {

struct ClassifierForward {
    ClassifierForward(Operands& o, const Layer& layer)
        : x(o.activation(Shape{layer.height, layer.width, layer.channels})),
          batch_norm(o.batch_norm_of(x, true)),
          running(running_update(o, layer.channels)),
          weight(o.parameter({layer.out_channels, layer.channels}, DType::kFloat32, -0.25, 0.25)),
          bias(o.parameter({layer.out_channels}, DType::kFloat32, -1, 1)),
          pooled(o.result({o.batch(), layer.channels}, DType::kFloat32)),
          logits(o.result({o.batch(), layer.out_channels}, DType::kFloat32)),
          linear{static_cast<size_t>(o.images()), static_cast<size_t>(layer.channels),
                 static_cast<size_t>(layer.out_channels)},
          pixels(static_cast<size_t>(layer.height) * layer.width) {}

    Trial trial(std::function<void()> run) const {
        const auto pooled_reference = once([f = *this] {
            return pooled_values(f.batch_norm.reference.forward(*f.x.values), f.pixels, f.linear.features);
        });
        const auto logits_reference = [pooled_reference, f = *this] {
            Values values = f.linear.forward(pooled_reference(), *f.weight.values);
            for (size_t i = 0; i < values.size(); ++i) values[i] += (*f.bias.values)[i % f.linear.classes];
            return values;
        };
        return {std::move(run),
                {{"pooled", pooled, [pooled_reference] { return pooled_reference(); }},
                 {"logits", logits, logits_reference}},
                bytes_of({x.tensor, weight.tensor, pooled, logits}),
                2.0 * static_cast<double>(logits.elements() * weight.tensor.shape()[1])};
    }

    Operand x;
    BatchNormOperands batch_norm;
    RunningUpdate running;
    Operand weight, bias;
    Tensor pooled, logits;
    LinearReference linear;
    size_t pixels;
};

struct ClassifierBackward {
    ClassifierBackward(Operands& o, const Layer& layer)
        : x(o.activation(Shape{layer.height, layer.width, layer.channels})),
          batch_norm(o.batch_norm_of(x, true)),
          pooled(o.batched({layer.channels}, DType::kFloat32)),
          weight(o.parameter({layer.out_channels, layer.channels}, DType::kFloat32, -0.25, 0.25)),
          dlogits(o.batched({layer.out_channels}, DType::kFloat32)),
          dx(o.result_like(x.tensor)),
          gradients(batch_norm_gradients(o, layer.channels)),
          dweight(o.result_like(weight.tensor)),
          dbias(o.result({layer.out_channels}, DType::kFloat32)),
          linear{static_cast<size_t>(o.images()), static_cast<size_t>(layer.channels),
                 static_cast<size_t>(layer.out_channels)},
          pixels(static_cast<size_t>(layer.height) * layer.width),
          repeats(o.repeats()) {}

    Trial trial(std::function<void()> run, MomentsOf moments) const {
        const auto dp = once([b = *this] {
            return unpooled_values(b.linear.dx(*b.dlogits.values, *b.weight.values), b.pixels, b.linear.features);
        });
        std::vector<Output> outputs =
            batch_norm_backward_outputs(batch_norm.reference, x, dp, moments, dx, {}, gradients, repeats);
        outputs.push_back(
            {"dweight", dweight, [b = *this] { return b.linear.dw(*b.pooled.values, *b.dlogits.values); }, repeats});
        outputs.push_back(
            {"dbias", dbias, [b = *this] { return column_sums(*b.dlogits.values, b.linear.classes); }, repeats});
        return {std::move(run), std::move(outputs),
                bytes_of({x.tensor, pooled.tensor, weight.tensor, dlogits.tensor, dx, dweight}),
                4.0 * static_cast<double>(dlogits.tensor.elements() * weight.tensor.shape()[1])};
    }

    Operand x;
    BatchNormOperands batch_norm;
    Operand pooled, weight, dlogits;
    Tensor dx;
    BatchNormGradients gradients;
    Tensor dweight, dbias;
    LinearReference linear;
    size_t pixels;
    double repeats;
};

FusedOps& fused_classifier(Operands& o, const Operand& x, const Operand& weight) {
    FusedOps& fused = fused_ops(o.backend());
    if (!fused.has_classifier(x.tensor.shape(), weight.tensor.shape(), o.activations())) {
        throw NotOffered("no fused kernel for this shape");
    }
    return fused;
}

}  // namespace

Trial classifier(Operands& o, const Layer& layer) {
    const ClassifierForward f(o, layer);
    return f.trial([&backend = o.backend(), f] {
        const Tensor& x = f.x.tensor;
        backend.update_running(f.batch_norm.params.stats, x.elements() / x.shape()[-1], f.running.decay,
                               f.running.running);
        const Tensor p = backend.empty(x.shape(), x.dtype());
        backend.batch_norm(f.batch_norm.params, x, {}, p);
        backend.global_average_pool(p, f.pooled);
        backend.matmul(f.pooled, false, f.weight.tensor, true, f.logits);
        backend.add_bias(f.bias.tensor, f.logits);
    });
}

Trial classifier_fused(Operands& o, const Layer& layer) {
    const ClassifierForward f(o, layer);
    FusedOps& fused = fused_classifier(o, f.x, f.weight);
    return f.trial([&fused, f] {
        fused.classifier(f.batch_norm.params, f.running, f.x.tensor, f.weight.tensor, f.bias.tensor, f.pooled,
                         f.logits);
    });
}

Trial classifier_dx(Operands& o, const Layer& layer) {
    const ClassifierBackward b(o, layer);
    const auto run = [&backend = o.backend(), b] {
        backend.matmul(b.dlogits.tensor, true, b.pooled.tensor, false, b.dweight);
        backend.column_sum(b.dlogits.tensor, b.dbias);
        const Tensor dpooled = backend.empty(b.pooled.tensor.shape(), DType::kFloat32);
        backend.matmul(b.dlogits.tensor, false, b.weight.tensor, false, dpooled);
        const Tensor dp = backend.empty(b.dx.shape(), b.dx.dtype());
        backend.global_average_pool_backward(dpooled, dp);
        backend.batch_norm_backward(b.batch_norm.params, b.x.tensor, dp, b.dx, false,
                                    {b.gradients.dgamma, b.gradients.dbeta});
    };
    return b.trial(run, MomentsOf::kWhole);
}

Trial classifier_dx_fused(Operands& o, const Layer& layer) {
    const ClassifierBackward b(o, layer);
    FusedOps& fused = fused_classifier(o, b.x, b.weight);
    const auto run = [&fused, b] {
        fused.classifier_backward(b.batch_norm.params, b.x.tensor, b.pooled.tensor, b.weight.tensor, b.dlogits.tensor,
                                  b.dx, b.gradients, b.dweight, b.dbias);
    };
    return b.trial(run, MomentsOf::kFixed);
}

}  // namespace residual::bench

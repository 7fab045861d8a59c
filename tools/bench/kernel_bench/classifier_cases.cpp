// The end of a network, batch norm, ReLU, global average pool and linear layer: as a sequence of the backend's
// operations, and fused.
#include "tools/bench/kernel_bench/cases.h"
#include "tools/reference/operations.h"

namespace residual::bench {

namespace {

struct Classifier {
    Classifier(Operands& o, const Layer& layer)
        : x(o.activation(layer.image())),
          batch_norm(o.batch_norm_of(x)),
          weight(o.parameter({layer.out_channels, layer.channels}, -0.25, 0.25)),
          features(layer.channels),
          classes(layer.out_channels),
          pixels(static_cast<size_t>(layer.height) * layer.width),
          images(o.images()) {}

    FusedOps& fused(Operands& o) const {
        return fused_ops(o.backend(), [&](FusedOps& fused) {
            return fused.has_classifier(x.tensor.shape(), weight.tensor.shape(), o.activations());
        });
    }
    // Of one product with the weight.
    double flops() const { return 2.0 * static_cast<double>(x.tensor.shape()[0] * weight.tensor.elements()); }

    Operand x;
    BatchNormOperands batch_norm;
    Operand weight;
    size_t features, classes, pixels, images;
};

struct Forward : Classifier {
    Forward(Operands& o, const Layer& layer)
        : Classifier(o, layer),
          running(o.running_update(layer.channels)),
          bias(o.parameter({layer.out_channels}, -1, 1)),
          pooled(o.result({o.batch(), layer.channels})),
          logits(o.result({o.batch(), layer.out_channels})) {}

    Trial trial(std::function<void()> run) const {
        const auto pooled_values = once([f = *this] {
            return reference::global_pool(f.batch_norm.reference.forward(*f.x.values), f.pixels, f.features);
        });
        const auto logits_values = [pooled_values, f = *this] {
            return reference::add_bias(
                reference::matmul(pooled_values(), false, *f.weight.values, true, f.images, f.classes), *f.bias.values);
        };
        return {std::move(run),
                {{"pooled", pooled, pooled_values}, {"logits", logits, logits_values}},
                bytes_of({x.tensor, weight.tensor, pooled, logits}),
                flops()};
    }

    RunningUpdate running;
    Operand bias;
    Tensor pooled, logits;
};

struct Backward : Classifier {
    Backward(Operands& o, const Layer& layer, bool fused)
        : Classifier(o, layer),
          pooled(o.batched({layer.channels})),
          dlogits(o.batched({layer.out_channels})),
          dx(o.result_like(x.tensor)),
          gradients(o.batch_norm_gradients(layer.channels, fused)),
          dweight(o.result_like(weight.tensor)),
          dbias(o.result({layer.out_channels})),
          repeats(o.repeats()) {}

    Trial trial(std::function<void()> run) const {
        const auto dp = [b = *this] {
            const Values dpooled =
                reference::matmul(*b.dlogits.values, false, *b.weight.values, false, b.images, b.features);
            return reference::global_pool_dx(dpooled, b.pixels, b.features);
        };
        const auto dw_values = [b = *this] {
            return reference::matmul(*b.dlogits.values, true, *b.pooled.values, false, b.classes, b.features);
        };
        const auto db_values = [b = *this] { return reference::column_sums(*b.dlogits.values, b.classes); };
        auto outputs = batch_norm_outputs(batch_norm.reference, x, dp, dx, {}, gradients, repeats);
        outputs.push_back({"dweight", dweight, dw_values, repeats});
        outputs.push_back({"dbias", dbias, db_values, repeats});
        return {std::move(run), std::move(outputs),
                bytes_of({x.tensor, pooled.tensor, weight.tensor, dlogits.tensor, dx, dweight}), 2 * flops()};
    }

    Operand pooled, dlogits;
    Tensor dx;
    BatchNormGradients gradients;
    Tensor dweight, dbias;
    double repeats;
};

}  // namespace

Trial classifier(Operands& o, const Layer& layer) {
    const Forward f(o, layer);
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
    const Forward f(o, layer);
    return f.trial([&fused = f.fused(o), f] {
        fused.classifier(f.batch_norm.params, f.running, f.x.tensor, f.weight.tensor, f.bias.tensor, f.pooled,
                         f.logits);
    });
}

Trial classifier_dx(Operands& o, const Layer& layer) {
    const Backward b(o, layer, false);
    return b.trial([&backend = o.backend(), b] {
        backend.matmul(b.dlogits.tensor, true, b.pooled.tensor, false, b.dweight);
        backend.column_sum(b.dlogits.tensor, b.dbias);
        const Tensor dpooled = backend.empty(b.pooled.tensor.shape(), DType::kFloat32);
        backend.matmul(b.dlogits.tensor, false, b.weight.tensor, false, dpooled);
        const Tensor dp = backend.empty(b.dx.shape(), b.dx.dtype());
        backend.global_average_pool_backward(dpooled, dp);
        backend.batch_norm_backward(b.batch_norm.params, b.x.tensor, dp, b.dx, false, b.gradients);
    });
}

Trial classifier_dx_fused(Operands& o, const Layer& layer) {
    const Backward b(o, layer, true);
    return b.trial([&fused = b.fused(o), b] {
        fused.classifier_backward(b.batch_norm.params, b.x.tensor, b.pooled.tensor, b.weight.tensor, b.dlogits.tensor,
                                  b.dx, b.gradients, b.dweight, b.dbias);
    });
}

}  // namespace residual::bench

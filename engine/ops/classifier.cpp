#include "engine/ops/classifier.h"

#include "engine/ops/check.h"
#include "engine/ops/linear.h"
#include "engine/ops/pool.h"

namespace residual::ops {

namespace {

Variable fused_classifier(Context& context, FusedOps& fused, const Variable& x, const BatchNorm& batch_norm,
                          const Variable& weight, const Variable& bias) {
    Backend& backend = context.backend;
    const int64_t batch = x.shape()[0];
    const Tensor pooled = backend.empty({batch, x.shape()[3]}, DType::kFloat32);
    const Variable logits(backend.empty({batch, weight.shape()[0]}, DType::kFloat32),
                          context.records(x, batch_norm.gamma, batch_norm.beta, weight, bias));
    fused.classifier(batch_norm.params(), batch_norm.running_update(), x.value(), weight.value(), bias.value(), pooled,
                     logits.value());
    if (logits.requires_grad()) {
        context.tape->record({logits}, [&backend, &fused, x, batch_norm, weight, bias, pooled, logits] {
            const BatchNormGradients gradients =
                batch_norm_grad_targets(backend, batch_norm, batch_norm.moments.mean.requires_grad());
            const Tensor dweight = weight.grad_target(backend);
            const Tensor dbias = bias.grad_target(backend);
            const Tensor dx = backend.empty(x.shape(), x.value().dtype());
            fused.classifier_backward(batch_norm.params(), x.value(), pooled, weight.value(), logits.grad(), dx,
                                      gradients, dweight, dbias);
            x.add_grad(backend, dx);
            add_batch_norm_grads(backend, batch_norm, gradients);
            weight.add_grad(backend, dweight);
            bias.add_grad(backend, dbias);
        });
    }
    return logits;
}

}  // namespace

Variable classifier(Context& context, const Variable& x, const BatchNorm& batch_norm, const Variable& weight,
                    const Variable& bias) {
    FusedOps* fused = context.backend.fused();
    if (fused != nullptr && batch_norm.relu && fused->has_classifier(x.shape(), weight.shape(), x.value().dtype())) {
        const BatchNorm whole = with_moments(context, x, batch_norm);
        check_batch_norm("classifier", whole, x.shape());
        check_shape("classifier", "bias", bias.shape(), {weight.shape()[0]});
        const Variable logits = fused_classifier(context, *fused, x, whole, weight, bias);
        if (context.trace) {
            context.trace->add("classifier", whole.attributes(),
                               whole.operands({{"x", x}, {"weight", weight}, {"bias", bias}}), {{"logits", logits}});
        }
        return logits;
    }
    return linear(context, global_average_pool(context, ops::batch_norm(context, x, batch_norm)), weight, bias);
}

}  // namespace residual::ops

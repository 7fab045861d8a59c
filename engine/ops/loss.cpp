#include "engine/ops/loss.h"

#include "engine/ops/check.h"

namespace residual::ops {

LossResult softmax_cross_entropy(Context& context, const Variable& logits, const Tensor& labels, const Tensor& totals) {
    const char* op = "softmax_cross_entropy";
    check_rank(op, "logits", logits.shape(), 2);
    check_dtype(op, "logits", logits.value().dtype(), DType::kFloat32);
    check_shape(op, "labels", labels.shape(), {logits.shape()[0]});
    check_dtype(op, "labels", labels.dtype(), DType::kInt32);

    Backend& backend = context.backend;
    const bool records = context.records(logits);
    const Tensor loss = backend.empty({1}, DType::kFloat32);
    const Tensor correct = backend.empty({1}, DType::kInt32);
    const Tensor dlogits = records ? backend.empty(logits.shape(), DType::kFloat32) : Tensor();
    backend.softmax_cross_entropy(logits.value(), labels, loss, dlogits, correct, totals);

    const Variable out(loss, records);
    if (records) {
        context.tape->record({out}, [&backend, logits, out, dlogits] {
            // dlogits is the gradient of the loss; multiply by the gradient with respect to the loss.
            const Tensor scaled = backend.empty(logits.shape(), DType::kFloat32);
            backend.scale(dlogits, out.grad(), scaled);
            logits.add_grad(backend, scaled);
        });
    }
    if (context.trace) {
        context.trace->add(op, {}, {{"logits", logits}, {"labels", Variable(labels, false)}},
                           {{"loss", out}, {"correct", Variable(correct, false)}});
    }
    return {out, correct};
}

}  // namespace residual::ops

#include "engine/ops/moments.h"

namespace residual::ops {

void add_moments_gradient(Backend& backend, const Variable& x, const Moments& moments) {
    const Tensor scratch = backend.empty(x.shape(), x.value().dtype());
    x.accumulate_grad(backend, scratch, [&](const Tensor& dx, bool accumulate) {
        backend.batch_stats_backward(x.value(), moments.gradient(), dx, accumulate);
    });
}

MomentsGradient Moments::gradient() const {
    if (!has_grad()) return {};
    return {mean.value(), mean.has_grad() ? mean.grad() : Tensor(), variance.has_grad() ? variance.grad() : Tensor()};
}

Moments empty_moments(Backend& backend, const Shape& x, bool requires_grad) {
    const auto vector = [&] { return Variable(backend.empty({x[-1]}, DType::kFloat32), requires_grad); };
    return {vector(), vector(), x.elements() / x[-1], true};
}

Moments batch_stats(Context& context, const Variable& x) {
    Backend& backend = context.backend;
    const Moments moments = empty_moments(backend, x.shape(), context.records(x));
    backend.batch_stats(x.value(), moments.values());
    if (context.records(x)) {
        context.tape->record({moments.mean, moments.variance},
                             [&backend, x, moments] { add_moments_gradient(backend, x, moments); });
    }
    if (context.trace) {
        context.trace->add("batch_stats", {}, {{"x", x}}, {{"mean", moments.mean}, {"variance", moments.variance}});
    }
    return moments;
}

Tensor whole_gradient(Backend& backend, const Variable& y, const Moments& moments) {
    if (moments.has_grad()) add_moments_gradient(backend, y, moments);
    return y.has_grad() ? y.grad() : Tensor();
}

}  // namespace residual::ops

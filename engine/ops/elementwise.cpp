#include "engine/ops/elementwise.h"

#include "engine/ops/check.h"

namespace residual::ops {

Variable relu(Context& context, const Variable& x) {
    Backend& backend = context.backend;
    const Tensor y = backend.empty(x.shape(), x.value().dtype());
    backend.relu(x.value(), y);
    const Variable out(y, context.records(x));
    if (out.requires_grad()) {
        context.tape->record({out}, [&backend, x, out] {
            const Tensor dx = backend.empty(x.shape(), x.value().dtype());
            backend.relu_backward(out.value(), out.grad(), dx);
            x.add_grad(backend, dx);
        });
    }
    if (context.trace) context.trace->add("relu", {}, {{"x", x}}, {{"y", out}});
    return out;
}

Variable add(Context& context, const Variable& a, const Variable& b) {
    check_shape("add", "b", b.shape(), a.shape());
    check_dtype("add", "b", b.value().dtype(), a.value().dtype());
    Backend& backend = context.backend;
    const Tensor sum = backend.empty(a.shape(), a.value().dtype());
    backend.add(a.value(), b.value(), sum);
    const Variable out(sum, context.records(a, b));
    if (out.requires_grad()) {
        context.tape->record({out}, [&backend, a, b, out] {
            a.add_grad(backend, out.grad());
            b.add_grad(backend, out.grad());
        });
    }
    if (context.trace) context.trace->add("add", {}, {{"a", a}, {"b", b}}, {{"y", out}});
    return out;
}

Variable cast(Context& context, const Variable& x, DType dtype) {
    const DType from = x.value().dtype();
    if (from == dtype) return x;
    Backend& backend = context.backend;
    const Tensor y = backend.empty(x.shape(), dtype);
    backend.cast(x.value(), y);
    const Variable out(y, context.records(x));
    if (out.requires_grad()) {
        context.tape->record({out}, [&backend, x, out, from] {
            const Tensor dx = backend.empty(x.shape(), from);
            backend.cast(out.grad(), dx);
            x.add_grad(backend, dx);
        });
    }
    if (context.trace) context.trace->add("cast", {}, {{"x", x}}, {{"y", out}});
    return out;
}

}  // namespace residual::ops

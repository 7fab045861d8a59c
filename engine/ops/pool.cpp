#include "engine/ops/pool.h"

#include "engine/ops/check.h"

namespace residual::ops {

Variable shortcut(Context& context, const Variable& x, ShortcutKind kind, int channels) {
    const Shape& in = x.shape();
    check_rank("shortcut", "x", in, 4);
    const int64_t round_up = kind == ShortcutKind::kSubsample ? 1 : 0;
    const Shape shape{in[0], (in[1] + round_up) / 2, (in[2] + round_up) / 2, channels};
    if (shape.elements() == 0) {
        shape_error("shortcut", fmt::format("x {} is too small to be halved", in.to_string()));
    }
    if (channels < in[3]) {
        shape_error("shortcut", fmt::format("x {} has more than the {} output channels", in.to_string(), channels));
    }
    Backend& backend = context.backend;
    const Tensor y = backend.empty(shape, x.value().dtype());
    backend.shortcut(kind, x.value(), y);
    const Variable out(y, context.records(x));
    if (out.requires_grad()) {
        context.tape->record({out}, [&backend, x, out, kind] {
            const Tensor dx = backend.empty(x.shape(), x.value().dtype());
            backend.shortcut_backward(kind, out.grad(), dx);
            x.add_grad(backend, dx);
        });
    }
    if (context.trace) {
        const std::string name = kind == ShortcutKind::kAveragePool ? "avgpool_zeropad" : "subsample_zeropad";
        context.trace->add("shortcut", {{"kind", name}}, {{"x", x}}, {{"y", out}});
    }
    return out;
}

Variable global_average_pool(Context& context, const Variable& x) {
    check_rank("global_average_pool", "x", x.shape(), 4);
    if (x.shape().elements() == 0) {
        shape_error("global_average_pool", fmt::format("x {} is empty", x.shape().to_string()));
    }
    Backend& backend = context.backend;
    const Tensor y = backend.empty({x.shape()[0], x.shape()[3]}, DType::kFloat32);
    backend.global_average_pool(x.value(), y);
    const Variable out(y, context.records(x));
    if (out.requires_grad()) {
        context.tape->record({out}, [&backend, x, out] {
            const Tensor dx = backend.empty(x.shape(), x.value().dtype());
            backend.global_average_pool_backward(out.grad(), dx);
            x.add_grad(backend, dx);
        });
    }
    if (context.trace) context.trace->add("global_average_pool", {}, {{"x", x}}, {{"y", out}});
    return out;
}

}  // namespace residual::ops

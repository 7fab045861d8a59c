#include "engine/ops/linear.h"

#include "engine/ops/check.h"

namespace residual::ops {

Variable linear(Context& context, const Variable& x, const Variable& weight, const Variable& bias) {
    check_rank("linear", "x", x.shape(), 2);
    check_rank("linear", "weight", weight.shape(), 2);
    if (weight.shape()[1] != x.shape()[1]) {
        shape_error("linear", fmt::format("weight {} takes {} features, but x {} has {}", weight.shape().to_string(),
                                          weight.shape()[1], x.shape().to_string(), x.shape()[1]));
    }
    check_shape("linear", "bias", bias.shape(), {weight.shape()[0]});
    check_dtype("linear", "x", x.value().dtype(), DType::kFloat32);
    check_dtype("linear", "weight", weight.value().dtype(), DType::kFloat32);

    Backend& backend = context.backend;
    const Tensor y = backend.empty({x.shape()[0], weight.shape()[0]}, DType::kFloat32);
    backend.matmul(x.value(), false, weight.value(), true, y);
    backend.add_bias(bias.value(), y);
    const Variable out(y, context.records(x, weight, bias));
    if (out.requires_grad()) {
        context.tape->record({out}, [&backend, x, weight, bias, out] {
            const Tensor& dy = out.grad();
            if (weight.requires_grad()) {
                const Tensor dw = weight.grad_target(backend);
                backend.matmul(dy, true, x.value(), false, dw);
                weight.add_grad(backend, dw);
            }
            if (bias.requires_grad()) {
                const Tensor db = bias.grad_target(backend);
                backend.column_sum(dy, db);
                bias.add_grad(backend, db);
            }
            if (x.requires_grad()) {
                const Tensor dx = x.grad_target(backend);
                backend.matmul(dy, false, weight.value(), false, dx);
                x.add_grad(backend, dx);
            }
        });
    }
    if (context.trace) {
        context.trace->add("linear", {}, {{"x", x}, {"weight", weight}, {"bias", bias}}, {{"y", out}});
    }
    return out;
}

}  // namespace residual::ops

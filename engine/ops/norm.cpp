#include "engine/ops/norm.h"

#include "engine/ops/check.h"

namespace engine::ops {

void check_used_once(Backend& backend, const Norm& norm) {
    if (backend.fused() != nullptr && (norm.gamma.has_grad() || norm.beta.has_grad())) {
        throw Error(
            "[norm] the parameters of a norm are used twice in one step, which fused kernels cannot do; set "
            "train.kernels to composed");
    }
}

void check_norm(const char* op, const Norm& norm, const Shape& x) {
    if (x.rank() < 2) shape_error(op, fmt::format("x must have at least 2 axes, but its shape is {}", x.to_string()));
    const Shape expected{x[-1]};
    check_shape(op, "gamma", norm.gamma.shape(), expected);
    check_shape(op, "beta", norm.beta.shape(), expected);
    check_shape(op, "mean", norm.stats.mean.shape(), expected);
    check_shape(op, "variance", norm.stats.variance.shape(), expected);
}

void move_running(Backend& backend, const Norm& norm, const Shape& x) {
    if (norm.running.mean.defined()) {
        backend.update_running(norm.stats, x.elements() / x[-1], norm.decay, norm.running);
    }
}

BatchStats empty_stats(Backend& backend, int64_t channels) {
    return {backend.empty({channels}, DType::kFloat32), backend.empty({channels}, DType::kFloat32)};
}

BatchStats batch_stats(Context& context, const Variable& x) {
    const BatchStats stats = empty_stats(context.backend, x.shape()[-1]);
    context.backend.batch_stats(x.value(), stats);
    return stats;
}

Variable norm(Context& context, const Variable& x, const Norm& norm, const Variable& residual) {
    check_norm("norm", norm, x.shape());
    if (residual.defined()) {
        check_shape("norm", "residual", residual.shape(), x.shape());
        check_dtype("norm", "residual", residual.value().dtype(), x.value().dtype());
    }

    Backend& backend = context.backend;
    move_running(backend, norm, x.shape());
    const Tensor y = backend.empty(x.shape(), x.value().dtype());
    backend.norm(norm.params(), x.value(), residual.defined() ? residual.value() : Tensor(), y);

    const bool records = context.records(x, norm.gamma, norm.beta, residual);
    const Variable out(y, records);
    if (records) {
        context.tape->record({out}, [&backend, x, norm, residual, out] {
            const Tensor scratch = backend.empty(x.shape(), x.value().dtype());
            if (!residual.defined()) {
                norm_backward(backend, norm, x, out.grad(), scratch);
                return;
            }
            // The mask depends on the sum, so it is applied here, and what remains is a norm without ReLU.
            Tensor dsum = out.grad();
            if (norm.relu) {
                dsum = backend.empty(x.shape(), x.value().dtype());
                backend.relu_backward(out.value(), out.grad(), dsum);
            }
            Norm linear = norm;
            linear.relu = false;
            residual.add_grad(backend, dsum);
            norm_backward(backend, linear, x, dsum, scratch);
        });
    }
    return out;
}

void norm_backward(Backend& backend, const Norm& norm, const Variable& x, const Tensor& dy, const Tensor& scratch) {
    check_used_once(backend, norm);
    const Tensor dgamma = norm.gamma.grad_target(backend, DType::kFloat32);
    const Tensor dbeta = norm.beta.grad_target(backend, DType::kFloat32);
    const auto write = [&](const Tensor& dx, bool accumulate) {
        backend.norm_backward(norm.params(), x.value(), dy, dx, accumulate, dgamma, dbeta);
    };
    if (x.requires_grad()) {
        x.accumulate_grad(backend, scratch, write);
    } else {
        write(scratch, false);
    }
    norm.gamma.add_grad(backend, dgamma);
    norm.beta.add_grad(backend, dbeta);
}

}  // namespace engine::ops

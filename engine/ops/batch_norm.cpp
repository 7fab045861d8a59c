#include "engine/ops/batch_norm.h"

#include "engine/ops/check.h"

namespace residual::ops {

namespace {

void check_residual(const char* op, const Variable& x, const Variable& residual) {
    if (!residual.defined()) return;
    check_shape(op, "residual", residual.shape(), x.shape());
    check_dtype(op, "residual", residual.value().dtype(), x.value().dtype());
}

// Propagates the gradient dy of y = batch_norm(x) + residual.
void backward(Backend& backend, const BatchNorm& batch_norm, const Variable& x, const Variable& residual,
              const Tensor& y, const Tensor& dy) {
    const Tensor scratch = backend.empty(x.shape(), x.value().dtype());
    if (!residual.defined()) {
        batch_norm_backward(backend, batch_norm, x, dy, scratch);
        return;
    }
    // The ReLU follows the addition, so its backward comes first; then the batch norm is one without ReLU.
    Tensor dsum = dy;
    if (batch_norm.relu) {
        dsum = backend.empty(x.shape(), x.value().dtype());
        backend.relu_backward(y, dy, dsum);
    }
    BatchNorm linear = batch_norm;
    linear.relu = false;
    residual.add_grad(backend, dsum);
    batch_norm_backward(backend, linear, x, dsum, scratch);
}

Tensor value_or_none(const Variable& x) {
    return x.defined() ? x.value() : Tensor();
}

void training_backward(Backend& backend, const BatchNorm& batch_norm, const SavedStats& saved, const Variable& x,
                       const Variable& residual, const Variable& y) {
    const DType dtype = x.value().dtype();
    const bool masks = residual.defined() && batch_norm.relu;
    const Tensor dresidual = masks ? backend.empty(x.shape(), dtype) : Tensor();
    const BatchNormGradients gradients = batch_norm_grad_targets(backend, batch_norm, false);
    x.accumulate_grad(backend, backend.empty(x.shape(), dtype), [&](const Tensor& dx, bool accumulate) {
        backend.batch_norm_training_backward(batch_norm.params(), saved, x.value(), y.value(), y.grad(), dx, accumulate,
                                             dresidual, gradients);
    });
    if (residual.defined()) residual.add_grad(backend, masks ? dresidual : y.grad());
    add_batch_norm_grads(backend, batch_norm, gradients);
}

}  // namespace

RunningUpdate BatchNorm::running_update() const {
    return {running.defined() ? running.values() : BatchStats(), decay};
}

std::map<std::string, Attribute> BatchNorm::attributes() const {
    std::map<std::string, Attribute> attributes{{"epsilon", double{epsilon}}, {"relu", relu}};
    if (running.defined()) attributes.emplace("decay", double{decay});
    return attributes;
}

Trace::Operands BatchNorm::operands(Trace::Operands others) const {
    others.insert(others.end(), {{"gamma", gamma},
                                 {"beta", beta},
                                 {"mean", moments.mean},
                                 {"variance", moments.variance},
                                 {"running_mean", running.mean},
                                 {"running_variance", running.variance}});
    return others;
}

void check_batch_norm(const char* op, const BatchNorm& batch_norm, const Shape& x) {
    if (x.rank() < 2) shape_error(op, fmt::format("x must have at least 2 axes, but its shape is {}", x.to_string()));
    const Shape expected{x[-1]};
    check_shape(op, "gamma", batch_norm.gamma.shape(), expected);
    check_shape(op, "beta", batch_norm.beta.shape(), expected);
    if (!batch_norm.moments.defined()) return;
    check_shape(op, "mean", batch_norm.moments.mean.shape(), expected);
    check_shape(op, "variance", batch_norm.moments.variance.shape(), expected);
}

void update_running(Backend& backend, const BatchNorm& batch_norm) {
    if (!batch_norm.running.defined()) return;
    backend.update_running(batch_norm.moments.values(), batch_norm.moments.rows, batch_norm.decay,
                           batch_norm.running.values());
}

Variable batch_norm(Context& context, const Variable& x, const BatchNorm& batch_norm, const Variable& residual) {
    if (!batch_norm.moments.defined()) return batch_norm_training(context, x, batch_norm, residual);
    check_batch_norm("batch_norm", batch_norm, x.shape());
    check_residual("batch_norm", x, residual);
    Backend& backend = context.backend;
    update_running(backend, batch_norm);
    const Tensor y = backend.empty(x.shape(), x.value().dtype());
    backend.batch_norm(batch_norm.params(), x.value(), value_or_none(residual), y);

    const bool records = context.records(x, batch_norm.gamma, batch_norm.beta, residual, batch_norm.moments.mean,
                                         batch_norm.moments.variance);
    const Variable out(y, records);
    if (records) {
        context.tape->record({out}, [&backend, x, batch_norm, residual, out] {
            backward(backend, batch_norm, x, residual, out.value(), out.grad());
        });
    }
    if (context.trace) {
        context.trace->add("batch_norm", batch_norm.attributes(),
                           batch_norm.operands({{"x", x}, {"residual", residual}}), {{"y", out}});
    }
    return out;
}

void batch_norm_backward(Backend& backend, const BatchNorm& batch_norm, const Variable& x, const Tensor& dy,
                         const Tensor& scratch) {
    const BatchNormGradients gradients = batch_norm_grad_targets(backend, batch_norm, !batch_norm.moments.of_input);
    x.accumulate_grad(backend, scratch, [&](const Tensor& dx, bool accumulate) {
        backend.batch_norm_backward(batch_norm.params(), x.value(), dy, dx, accumulate, gradients);
    });
    add_batch_norm_grads(backend, batch_norm, gradients);
}

BatchNorm with_moments(Context& context, const Variable& x, BatchNorm batch_norm) {
    if (!batch_norm.moments.defined()) batch_norm.moments = batch_stats(context, x);
    return batch_norm;
}

BatchNormGradients batch_norm_grad_targets(Backend& backend, const BatchNorm& batch_norm, bool moments) {
    return {batch_norm.gamma.grad_target(backend), batch_norm.beta.grad_target(backend),
            moments ? batch_norm.moments.mean.grad_target(backend) : Tensor(),
            moments ? batch_norm.moments.variance.grad_target(backend) : Tensor()};
}

void add_batch_norm_grads(Backend& backend, const BatchNorm& batch_norm, const BatchNormGradients& gradients) {
    batch_norm.gamma.add_grad(backend, gradients.dgamma);
    batch_norm.beta.add_grad(backend, gradients.dbeta);
    if (!gradients.dmean.defined()) return;
    batch_norm.moments.mean.add_grad(backend, gradients.dmean);
    batch_norm.moments.variance.add_grad(backend, gradients.dvariance);
}

Variable batch_norm_training(Context& context, const Variable& x, BatchNorm batch_norm, const Variable& residual,
                             const MergeMoments& merge) {
    if (merge) {
        batch_norm.moments = merge(context, batch_stats(context, x));
        return ops::batch_norm(context, x, batch_norm, residual);
    }
    batch_norm.moments = {};
    check_batch_norm("batch_norm_training", batch_norm, x.shape());
    check_residual("batch_norm_training", x, residual);
    Backend& backend = context.backend;
    const bool records = context.records(x, batch_norm.gamma, batch_norm.beta, residual);
    const Variable y(backend.empty(x.shape(), x.value().dtype()), records);
    const SavedStats saved = backend.batch_norm_training(batch_norm.params(), batch_norm.running_update(), x.value(),
                                                         value_or_none(residual), y.value());
    if (records) {
        context.tape->record({y}, [&backend, x, batch_norm, residual, y, saved] {
            training_backward(backend, batch_norm, saved, x, residual, y);
        });
    }
    if (context.trace) {
        context.trace->add("batch_norm_training", batch_norm.attributes(),
                           batch_norm.operands({{"x", x}, {"residual", residual}}), {{"y", y}});
    }
    return y;
}

}  // namespace residual::ops

#include "engine/ops/norm.h"

#include "engine/ops/check.h"

namespace engine::ops {

namespace {

void check_operands(const char* op, const Variable& x, const Norm& norm, const Variable& residual) {
    check_norm(op, norm, x.shape());
    if (!residual.defined()) return;
    check_shape(op, "residual", residual.shape(), x.shape());
    check_dtype(op, "residual", residual.value().dtype(), x.value().dtype());
}

// From the gradient dy of y = norm(x, residual).
void backward(Backend& backend, const Norm& norm, const Variable& x, const Variable& residual, const Tensor& y,
              const Tensor& dy) {
    const Tensor scratch = backend.empty(x.shape(), x.value().dtype());
    if (!residual.defined()) {
        norm_backward(backend, norm, x, dy, scratch);
        return;
    }
    // The mask depends on the sum, so it is applied here, and what remains is a norm without ReLU.
    Tensor dsum = dy;
    if (norm.relu) {
        dsum = backend.empty(x.shape(), x.value().dtype());
        backend.relu_backward(y, dy, dsum);
    }
    Norm linear = norm;
    linear.relu = false;
    residual.add_grad(backend, dsum);
    norm_backward(backend, linear, x, dsum, scratch);
}

Tensor value_or_none(const Variable& x) {
    return x.defined() ? x.value() : Tensor();
}

}  // namespace

RunningUpdate Norm::running_update() const {
    return {running.defined() ? running.values() : BatchStats(), decay};
}

std::map<std::string, Attribute> Norm::attributes() const {
    std::map<std::string, Attribute> attributes{{"epsilon", double{epsilon}}, {"relu", relu}};
    if (running.defined()) attributes.emplace("decay", double{decay});
    return attributes;
}

Trace::Operands Norm::operands(Trace::Operands others) const {
    others.insert(others.end(), {{"gamma", gamma},
                                 {"beta", beta},
                                 {"mean", moments.mean},
                                 {"variance", moments.variance},
                                 {"running_mean", running.mean},
                                 {"running_variance", running.variance}});
    return others;
}

void check_norm(const char* op, const Norm& norm, const Shape& x) {
    if (x.rank() < 2) shape_error(op, fmt::format("x must have at least 2 axes, but its shape is {}", x.to_string()));
    const Shape expected{x[-1]};
    check_shape(op, "gamma", norm.gamma.shape(), expected);
    check_shape(op, "beta", norm.beta.shape(), expected);
    ASSERT(norm.moments.defined());
    check_shape(op, "mean", norm.moments.mean.shape(), expected);
    check_shape(op, "variance", norm.moments.variance.shape(), expected);
}

void move_running(Backend& backend, const Norm& norm) {
    if (!norm.running.defined()) return;
    backend.update_running(norm.moments.values(), norm.moments.rows, norm.decay, norm.running.values());
}

Variable norm(Context& context, const Variable& x, const Norm& norm, const Variable& residual) {
    check_operands("norm", x, norm, residual);
    Backend& backend = context.backend;
    move_running(backend, norm);
    const Tensor y = backend.empty(x.shape(), x.value().dtype());
    backend.norm(norm.params(), x.value(), value_or_none(residual), y);

    const bool records = context.records(x, norm.gamma, norm.beta, residual, norm.moments.mean, norm.moments.variance);
    const Variable out(y, records);
    if (records) {
        context.tape->record({out}, [&backend, x, norm, residual, out] {
            backward(backend, norm, x, residual, out.value(), out.grad());
        });
    }
    if (context.trace) {
        context.trace->add("norm", norm.attributes(), norm.operands({{"x", x}, {"residual", residual}}), {{"y", out}});
    }
    return out;
}

void norm_backward(Backend& backend, const Norm& norm, const Variable& x, const Tensor& dy, const Tensor& scratch) {
    const NormGradients gradients = norm_grad_targets(backend, norm, !norm.moments.own);
    const auto write = [&](const Tensor& dx, bool accumulate) {
        backend.norm_backward(norm.params(), x.value(), dy, dx, accumulate, gradients);
    };
    if (x.requires_grad()) {
        x.accumulate_grad(backend, scratch, write);
    } else {
        write(scratch, false);
    }
    add_norm_grads(backend, norm, gradients);
}

NormGradients norm_grad_targets(Backend& backend, const Norm& norm, bool moments) {
    const auto target = [&](const Variable& x) { return x.grad_target(backend, DType::kFloat32); };
    return {target(norm.gamma), target(norm.beta), moments ? target(norm.moments.mean) : Tensor(),
            moments ? target(norm.moments.variance) : Tensor()};
}

void add_norm_grads(Backend& backend, const Norm& norm, const NormGradients& gradients) {
    norm.gamma.add_grad(backend, gradients.dgamma);
    norm.beta.add_grad(backend, gradients.dbeta);
    if (!gradients.dmean.defined()) return;
    norm.moments.mean.add_grad(backend, gradients.dmean);
    norm.moments.variance.add_grad(backend, gradients.dvariance);
}

BatchNormResult batch_norm_training(Context& context, const Variable& x, Norm norm, const Variable& residual,
                                    const MergeMoments& merge) {
    if (merge) {
        norm.moments = merge(context, batch_stats(context, x));
        return {ops::norm(context, x, norm, residual), norm.moments};
    }
    Backend& backend = context.backend;
    const bool records = context.records(x, norm.gamma, norm.beta, residual);
    norm.moments = empty_moments(backend, x.shape(), records);
    check_operands("batch_norm_training", x, norm, residual);
    const Variable y(backend.empty(x.shape(), x.value().dtype()), records);
    backend.batch_norm_training(norm.params(), norm.running_update(), x.value(), value_or_none(residual), y.value());
    if (records) {
        const Moments& moments = norm.moments;
        context.tape->record({y, moments.mean, moments.variance}, [&backend, x, norm, residual, y] {
            if (y.has_grad()) backward(backend, norm, x, residual, y.value(), y.grad());
            if (norm.moments.has_grad()) add_moments_gradient(backend, x, norm.moments);
        });
    }
    if (context.trace) {
        Norm learnt = norm;
        learnt.moments = {};  // These are outputs.
        context.trace->add("batch_norm_training", norm.attributes(),
                           learnt.operands({{"x", x}, {"residual", residual}}),
                           {{"y", y}, {"mean", norm.moments.mean}, {"variance", norm.moments.variance}});
    }
    return {y, norm.moments};
}

}  // namespace engine::ops

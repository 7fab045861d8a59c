// Batch norm: the project's own kernels one by one, and the backend's library.
#include "kernels/batch_norm_body.h"
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/place.h"

namespace residual::bench {

namespace {

Shape image_of(const Layer& layer) {
    return {layer.height, layer.width, layer.channels};
}

kernels::BatchNormShape batch_norm_shape(const Tensor& x) {
    return {x.elements() / x.shape()[-1], static_cast<int>(x.shape()[-1])};
}

std::vector<Output> stats_outputs(const BatchStats& stats, std::function<Values()> x, int channels) {
    const auto reference = once([x = std::move(x), channels] { return reference::moments_of(x(), channels); });
    return {{"mean", stats.mean, [reference] { return reference().mean; }},
            {"variance", stats.variance, [reference] { return reference().variance; }}};
}

// batch_norm() by the project's own kernel, whatever the backend uses; residual may be undefined.
void launch_batch_norm(Backend& backend, const BatchNormParams& p, const Tensor& x, const Tensor& residual,
                       const Tensor& y) {
    with_place(backend, [&](const auto& exec) {
        with_activation_type(x.dtype(), [&]<class T>(T) {
            kernels::batch_norm(exec, batch_norm_shape(x), x.data<T>(), p.stats.mean.data<float>(),
                                p.stats.variance.data<float>(), p.gamma.data<float>(), p.beta.data<float>(), p.epsilon,
                                p.relu, residual.defined() ? residual.data<T>() : nullptr, y.data<T>());
        });
    });
}

}  // namespace

Trial batch_stats(Operands& o, const Layer& layer) {
    const Operand x = o.activation(image_of(layer));
    const auto stats = o.stats_result(layer.channels);
    return {[&backend = o.backend(), x, stats] { backend.batch_stats(x.tensor, stats); },
            stats_outputs(
                stats, [x] { return *x.values; }, layer.channels),
            bytes_of({x.tensor})};
}

Trial add_batch_stats(Operands& o, const Layer& layer) {
    const Operand residual = o.activation(image_of(layer)), y = o.activation(image_of(layer));
    const auto stats = o.stats_result(layer.channels);
    const auto sum = [residual, y] { return plus(*residual.values, *y.values); };
    auto outputs = stats_outputs(stats, sum, layer.channels);
    outputs.push_back({"y", y.tensor, sum});
    return {[&backend = o.backend(), residual, y, stats] { backend.add_batch_stats(residual.tensor, y.tensor, stats); },
            outputs, bytes_of({residual.tensor, y.tensor, y.tensor})};
}

Trial own_batch_norm(Operands& o, const Layer& layer) {
    const Operand x = o.activation(image_of(layer));
    const BatchNormOperands n = o.batch_norm_of(x, true);
    const Tensor y = o.result_like(x.tensor);
    return {[&backend = o.backend(), n, x, y] { launch_batch_norm(backend, n.params, x.tensor, {}, y); },
            {{"y", y, [n, x] { return n.reference.forward(*x.values); }}},
            bytes_of({x.tensor, y})};
}

// What a post-activation unit ends with.
Trial own_batch_norm_add(Operands& o, const Layer& layer) {
    const Operand x = o.activation(image_of(layer)), residual = o.activation(image_of(layer));
    const BatchNormOperands n = o.batch_norm_of(x, true);
    const Tensor y = o.result_like(x.tensor);
    return {[&backend = o.backend(), n, x, residual, y] {
                launch_batch_norm(backend, n.params, x.tensor, residual.tensor, y);
            },
            {{"y", y, [n, x, residual] { return n.reference.forward(*x.values, *residual.values); }}},
            bytes_of({x.tensor, residual.tensor, y})};
}

Trial own_batch_norm_sums(Operands& o, const Layer& layer) {
    const Operand x = o.activation(image_of(layer)), dy = o.activation(image_of(layer));
    const BatchNormOperands n = o.batch_norm_of(x, true);
    const auto sums = o.stats_result(layer.channels);  // dgamma, dbeta
    Tensor scratch;
    with_place(o.backend(), [&](const auto& exec) {
        const size_t floats = kernels::batch_stats_scratch_floats(exec, batch_norm_shape(x.tensor));
        scratch = o.backend().empty({static_cast<int64_t>(floats)}, DType::kFloat32);
    });
    const auto run = [&backend = o.backend(), x, dy, n, sums, scratch] {
        with_place(backend, [&](const auto& exec) {
            with_activation_type(dy.tensor.dtype(), [&]<class T>(T) {
                const auto& p = n.params;
                kernels::batch_norm_backward_reduce(exec, batch_norm_shape(x.tensor), dy.tensor.data<T>(),
                                                    x.tensor.data<T>(), p.stats.mean.data<float>(),
                                                    p.stats.variance.data<float>(), p.gamma.data<float>(),
                                                    p.beta.data<float>(), p.epsilon, p.relu, sums.mean.data<float>(),
                                                    sums.variance.data<float>(), scratch.data<float>());
            });
        });
    };
    const auto reference =
        once([n, x, dy] { return n.reference.sums(*x.values, n.reference.masked(*x.values, *dy.values)); });
    return {run,
            {{"dgamma", sums.mean, [reference] { return reference().dgamma; }, o.repeats()},
             {"dbeta", sums.variance, [reference] { return reference().dbeta; }, o.repeats()}},
            bytes_of({x.tensor, dy.tensor})};
}

// With sums of its own choice: they are operands here.
Trial own_batch_norm_dx(Operands& o, const Layer& layer) {
    const Operand x = o.activation(image_of(layer)), dy = o.activation(image_of(layer));
    const BatchNormOperands n = o.batch_norm_of(x, true);
    const auto rows = static_cast<double>(batch_norm_shape(x.tensor).rows);
    const Operand dgamma = o.parameter({layer.channels}, DType::kFloat32, -rows / 4, rows / 4);
    const Operand dbeta = o.parameter({layer.channels}, DType::kFloat32, -rows / 4, rows / 4);
    const Tensor dx = o.result_like(x.tensor);
    const auto run = [&backend = o.backend(), x, dy, n, dgamma, dbeta, dx] {
        with_place(backend, [&](const auto& exec) {
            with_activation_type(dx.dtype(), [&]<class T>(T) {
                const auto& p = n.params;
                kernels::batch_norm_backward(
                    exec, batch_norm_shape(dx), dy.tensor.data<T>(), x.tensor.data<T>(), p.stats.mean.data<float>(),
                    p.stats.variance.data<float>(), p.gamma.data<float>(), p.beta.data<float>(), p.epsilon, p.relu,
                    dgamma.tensor.data<float>(), dbeta.tensor.data<float>(), dx.data<T>(), false);
            });
        });
    };
    const auto expected = [n, x, dy, dgamma, dbeta, rows] {
        const auto& batch_norm = n.reference;
        return plus(batch_norm.dx_fixed(batch_norm.masked(*x.values, *dy.values)),
                    reference::moments_dx(*x.values, batch_norm.moments.mean,
                                          batch_norm.moments_gradient({*dgamma.values, *dbeta.values}), rows));
    };
    return {run, {{"dx", dx, expected}}, bytes_of({x.tensor, dy.tensor, dx})};
}

Trial update_running(Operands& o, const Layer& layer) {
    constexpr float kDecay = 0.99f;
    const Shape channels{layer.channels};
    const auto vector = [&] { return o.parameter(channels, DType::kFloat32, 0.5, 1.5); };
    const Operand mean = vector(), variance = vector(), running_mean = vector(), running_variance = vector();
    constexpr int64_t kRows = 1000;
    const auto moved = [](const Operand& running, const Operand& batch, double factor) {
        Values values = *running.values;
        for (size_t i = 0; i < values.size(); ++i) {
            values[i] = kDecay * values[i] + (1.0 - kDecay) * factor * (*batch.values)[i];
        }
        return values;
    };
    const double unbiased = static_cast<double>(kRows) / (kRows - 1);
    return {
        [&backend = o.backend(), mean, variance, running_mean, running_variance] {
            backend.update_running({mean.tensor, variance.tensor}, kRows, kDecay,
                                   {running_mean.tensor, running_variance.tensor});
        },
        {{"running mean", running_mean.tensor, [=] { return moved(running_mean, mean, 1.0); }},
         {"running variance", running_variance.tensor, [=] { return moved(running_variance, variance, unbiased); }}},
        bytes_of({mean.tensor, variance.tensor}) + 2 * bytes_of({running_mean.tensor, running_variance.tensor})};
}

Trial batch_norm(Operands& o, const Layer& layer) {
    const Operand x = o.activation(image_of(layer));
    const BatchNormOperands n = o.batch_norm_of(x, true);
    const Tensor y = o.result_like(x.tensor);
    return {[&backend = o.backend(), n, x, y] { backend.batch_norm(n.params, x.tensor, {}, y); },
            {{"y", y, [n, x] { return n.reference.forward(*x.values); }}},
            bytes_of({x.tensor, y})};
}

Trial batch_norm_dx(Operands& o, const Layer& layer) {
    const Operand x = o.activation(image_of(layer)), dy = o.activation(image_of(layer));
    const BatchNormOperands n = o.batch_norm_of(x, true);
    const Tensor dx = o.result_like(x.tensor);
    const auto sums = o.stats_result(layer.channels);  // dgamma, dbeta
    const auto reference =
        once([n, x, dy] { return n.reference.sums(*x.values, n.reference.masked(*x.values, *dy.values)); });
    return {[&backend = o.backend(), n, x, dy, dx, sums] {
                backend.batch_norm_backward(n.params, x.tensor, dy.tensor, dx, false, {sums.mean, sums.variance});
            },
            {{"dx", dx, [n, x, dy] { return n.reference.dx(*x.values, n.reference.masked(*x.values, *dy.values)); }},
             {"dgamma", sums.mean, [reference] { return reference().dgamma; }, o.repeats()},
             {"dbeta", sums.variance, [reference] { return reference().dbeta; }, o.repeats()}},
            bytes_of({x.tensor, dy.tensor, dx})};
}

}  // namespace residual::bench

// Batch norm: the project's own kernels one by one, and the operation that the backend uses.
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/own_kernels.h"

namespace residual::bench {

namespace {

kernels::BatchNormShape batch_norm_shape(const Tensor& x) {
    return {x.elements() / x.shape()[-1], static_cast<int>(x.shape()[-1])};
}

Trial forward(Operands& o, const Layer& layer, bool own, bool adds) {
    const Operand x = o.activation(layer.image());
    const Operand residual = adds ? o.activation(layer.image()) : Operand{{}, std::make_shared<Values>()};
    const BatchNormOperands n = o.batch_norm_of(x);
    const Tensor y = o.result_like(x.tensor);
    const auto run_own = [&backend = o.backend(), x, residual, n, y] {
        with_exec(backend, [&](const auto& exec) {
            with_activation_type(y.dtype(), [&]<class T>(T) {
                const auto& p = n.params;
                kernels::batch_norm(exec, batch_norm_shape(y), x.tensor.data<T>(), p.stats.mean.data<float>(),
                                    p.stats.variance.data<float>(), p.gamma.data<float>(), p.beta.data<float>(),
                                    p.epsilon, p.relu, data_or_null<T>(residual.tensor), y.data<T>());
            });
        });
    };
    const auto run = [&backend = o.backend(), x, residual, n, y] {
        backend.batch_norm(n.params, x.tensor, residual.tensor, y);
    };
    return {own ? std::function<void()>(run_own) : run,
            {{"y", y, [x, residual, n] { return n.reference.forward(*x.values, *residual.values); }}},
            bytes_of({x.tensor, residual.tensor, y})};
}

struct Backward {
    Backward(Operands& o, const Layer& layer)
        : x(o.activation(layer.image())),
          dy(o.activation(layer.image())),
          n(o.batch_norm_of(x)),
          dx(o.result_like(x.tensor)),
          gradients(o.batch_norm_gradients(layer.channels, false)) {}

    std::vector<Output> outputs(double repeats) const {
        return batch_norm_outputs(
            n.reference, x, [dy = dy] { return *dy.values; }, dx, {}, gradients, repeats);
    }

    Operand x, dy;
    BatchNormOperands n;
    Tensor dx;
    BatchNormGradients gradients;
};

}  // namespace

Trial batch_stats(Operands& o, const Layer& layer) {
    const Operand x = o.activation(layer.image());
    const auto stats = o.stats_result(layer.channels);
    return {[&backend = o.backend(), x, stats] { backend.batch_stats(x.tensor, stats); },
            stats_outputs(stats, [x] { return *x.values; }), bytes_of({x.tensor})};
}

Trial add_batch_stats(Operands& o, const Layer& layer) {
    const Operand residual = o.activation(layer.image()), y = o.activation(layer.image());
    const auto stats = o.stats_result(layer.channels);
    const auto sum = [residual, y] { return plus(*residual.values, *y.values); };
    auto outputs = stats_outputs(stats, sum);
    outputs.push_back({"y", y.tensor, sum});
    return {[&backend = o.backend(), residual, y, stats] { backend.add_batch_stats(residual.tensor, y.tensor, stats); },
            outputs, bytes_of({residual.tensor, y.tensor, y.tensor})};
}

Trial own_batch_norm(Operands& o, const Layer& layer) {
    return forward(o, layer, true, false);
}

// The last operation of a post-activation unit.
Trial own_batch_norm_add(Operands& o, const Layer& layer) {
    return forward(o, layer, true, true);
}

Trial batch_norm(Operands& o, const Layer& layer) {
    return forward(o, layer, false, false);
}

Trial own_batch_norm_sums(Operands& o, const Layer& layer) {
    const Backward b(o, layer);
    Tensor scratch;
    with_exec(o.backend(), [&](const auto& exec) {
        const size_t floats = kernels::batch_stats_scratch_floats(exec, batch_norm_shape(b.dx));
        scratch = o.backend().empty({static_cast<int64_t>(floats)}, DType::kFloat32);
    });
    const auto run = [&backend = o.backend(), b, scratch] {
        with_exec(backend, [&](const auto& exec) {
            with_activation_type(b.dx.dtype(), [&]<class T>(T) {
                const auto& p = b.n.params;
                kernels::batch_norm_backward_reduce(
                    exec, batch_norm_shape(b.dx), b.dy.tensor.data<T>(), b.x.tensor.data<T>(),
                    p.stats.mean.data<float>(), p.stats.variance.data<float>(), p.gamma.data<float>(),
                    p.beta.data<float>(), p.epsilon, p.relu, b.gradients.dgamma.data<float>(),
                    b.gradients.dbeta.data<float>(), scratch.data<float>());
            });
        });
    };
    auto outputs = b.outputs(o.repeats());
    outputs.erase(outputs.begin());  // dx
    return {run, outputs, bytes_of({b.x.tensor, b.dy.tensor})};
}

// The kernel takes dgamma and dbeta; here they are independent of x and dy.
Trial own_batch_norm_dx(Operands& o, const Layer& layer) {
    const Backward b(o, layer);
    const auto rows = static_cast<double>(batch_norm_shape(b.dx).rows);
    const Operand dgamma = o.parameter({layer.channels}, -rows / 4, rows / 4);
    const Operand dbeta = o.parameter({layer.channels}, -rows / 4, rows / 4);
    const auto run = [&backend = o.backend(), b, dgamma, dbeta] {
        with_exec(backend, [&](const auto& exec) {
            with_activation_type(b.dx.dtype(), [&]<class T>(T) {
                const auto& p = b.n.params;
                kernels::batch_norm_backward(exec, batch_norm_shape(b.dx), b.dy.tensor.data<T>(), b.x.tensor.data<T>(),
                                             p.stats.mean.data<float>(), p.stats.variance.data<float>(),
                                             p.gamma.data<float>(), p.beta.data<float>(), p.epsilon, p.relu,
                                             dgamma.tensor.data<float>(), dbeta.tensor.data<float>(), b.dx.data<T>(),
                                             false);
            });
        });
    };
    const auto expected = [b, dgamma, dbeta, rows] {
        const auto& batch_norm = b.n.reference;
        return plus(batch_norm.dx_fixed(batch_norm.masked(*b.x.values, *b.dy.values)),
                    reference::moments_dx(*b.x.values, batch_norm.moments.mean,
                                          batch_norm.moments_gradient({*dgamma.values, *dbeta.values}), rows));
    };
    return {run, {{"dx", b.dx, expected}}, bytes_of({b.x.tensor, b.dy.tensor, b.dx})};
}

Trial batch_norm_training(Operands& o, const Layer& layer) {
    const Operand x = o.activation(layer.image());
    const BatchNormOperands n = o.batch_norm_of(x);
    const Tensor y = o.result_like(x.tensor);
    return {[&backend = o.backend(), x, n, y] { backend.batch_norm_training(n.params, {}, x.tensor, {}, y); },
            {{"y", y, [x, n] { return n.reference.forward(*x.values, {}); }}},
            bytes_of({x.tensor, y})};
}

Trial batch_norm_training_dx(Operands& o, const Layer& layer) {
    const Backward b(o, layer);
    const Tensor y = o.result_like(b.x.tensor);
    const SavedStats saved = o.backend().batch_norm_training(b.n.params, {}, b.x.tensor, {}, y);
    return {[&backend = o.backend(), b, y, saved] {
                backend.batch_norm_training_backward(b.n.params, saved, b.x.tensor, y, b.dy.tensor, b.dx, false, {},
                                                     b.gradients);
            },
            b.outputs(o.repeats()), bytes_of({b.x.tensor, y, b.dy.tensor, b.dx})};
}

Trial update_running(Operands& o, const Layer& layer) {
    constexpr float kDecay = 0.99f;
    constexpr int64_t kRows = 1000;
    const auto vector = [&] { return o.parameter({layer.channels}, 0.5, 1.5); };
    const Operand mean = vector(), variance = vector(), running_mean = vector(), running_variance = vector();
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

}  // namespace residual::bench

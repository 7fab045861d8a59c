// The operations implemented by the project's own kernels, shared by both devices.
#pragma once

#include "engine/backend/backend.h"
#include "kernels/batch_norm.h"
#include "kernels/elementwise.h"
#include "kernels/linear.h"
#include "kernels/loss.h"
#include "kernels/optimizer.h"
#include "kernels/pool.h"
#include "kernels/shortcut.h"

namespace residual {

// Calls f(T{}) with the C++ type T of an activation.
template <class F>
void with_activation_type(DType dtype, F f) {
    RESIDUAL_ASSERT(dtype == DType::kFloat32 || dtype == DType::kBFloat16);
    if (dtype == DType::kFloat32) {
        f(float{});
    } else {
        f(bfloat16{});
    }
}

// Kernels take null for an optional operand.
template <class T>
T* data_or_null(const Tensor& x) {
    return x.defined() ? x.data<T>() : nullptr;
}

// Exec is an execution target of kernels/exec.h.
template <class Exec>
class KernelBackend : public Backend {
  public:
    KernelBackend(std::shared_ptr<MemorySource> source, Exec exec) : Backend(std::move(source)), exec_(exec) {
        one_ = empty({1}, DType::kFloat32);
        kernels::fill(exec_, 1, 1.0f, one_.data<float>());
        tickets_ = empty({kernels::kTickets}, DType::kFloat32);
        kernels::fill(exec_, kernels::kTickets, 0.0f, tickets_.data<float>());
    }

    const Tensor& one() const override { return one_; }

    // Kernels launched with it and this backend's operations run in call order.
    const Exec& exec() const { return exec_; }

    void add_bias(const Tensor& bias, const Tensor& y) override {
        kernels::add_bias(exec_, rows(y), channels(y), bias.data<float>(), y.data<float>());
    }

    void column_sum(const Tensor& x, const Tensor& sum) override {
        kernels::column_sum(exec_, rows(x), channels(x), x.data<float>(), sum.data<float>());
    }

    void batch_stats(const Tensor& x, const BatchStats& stats) override {
        const Tensor scratch = batch_norm_scratch(x);
        with_activation_type(x.dtype(), [&]<class T>(T) {
            kernels::batch_stats(exec_, batch_norm_shape(x), x.data<T>(), stats.mean.data<float>(),
                                 stats.variance.data<float>(), scratch.data<float>());
        });
    }

    void batch_stats_backward(const Tensor& x, const MomentsGradient& gradient, const Tensor& dx,
                              bool accumulate) override {
        with_activation_type(x.dtype(), [&]<class T>(T) {
            kernels::batch_stats_backward(exec_, batch_norm_shape(x), x.data<T>(), gradient.mean.data<float>(),
                                          data_or_null<float>(gradient.dmean), data_or_null<float>(gradient.dvariance),
                                          dx.data<T>(), accumulate);
        });
    }

    void add_batch_stats(const Tensor& residual, const Tensor& y, const BatchStats& stats) override {
        const Tensor scratch = batch_norm_scratch(y);
        with_activation_type(y.dtype(), [&]<class T>(T) {
            kernels::add_batch_stats(exec_, batch_norm_shape(y), residual.data<T>(), y.data<T>(),
                                     stats.mean.data<float>(), stats.variance.data<float>(), scratch.data<float>());
        });
    }

    void batch_norm(const BatchNormParams& p, const Tensor& x, const Tensor& residual, const Tensor& y) override {
        with_activation_type(x.dtype(), [&]<class T>(T) {
            kernels::batch_norm(exec_, batch_norm_shape(x), x.data<T>(), p.stats.mean.data<float>(),
                                p.stats.variance.data<float>(), p.gamma.data<float>(), p.beta.data<float>(), p.epsilon,
                                p.relu, data_or_null<T>(residual), y.data<T>());
        });
    }

    void batch_norm_backward(const BatchNormParams& p, const Tensor& x, const Tensor& dy, const Tensor& dx,
                             bool accumulate, const BatchNormGradients& gradients) override {
        const Tensor scratch = batch_norm_scratch(x);
        const bool through_stats = !gradients.dmean.defined();
        const Tensor zeros = through_stats ? Tensor() : this->zeros(p.gamma.shape(), DType::kFloat32);
        with_activation_type(x.dtype(), [&]<class T>(T) {
            const float* mean = p.stats.mean.data<float>();
            const float* variance = p.stats.variance.data<float>();
            const float* gamma = p.gamma.data<float>();
            const float* beta = p.beta.data<float>();
            float* dgamma = gradients.dgamma.data<float>();
            float* dbeta = gradients.dbeta.data<float>();
            kernels::batch_norm_backward_reduce(exec_, batch_norm_shape(x), dy.data<T>(), x.data<T>(), mean, variance,
                                                gamma, beta, p.epsilon, p.relu, dgamma, dbeta, scratch.data<float>());
            kernels::batch_norm_backward(exec_, batch_norm_shape(x), dy.data<T>(), x.data<T>(), mean, variance, gamma,
                                         beta, p.epsilon, p.relu, through_stats ? dgamma : zeros.data<float>(),
                                         through_stats ? dbeta : zeros.data<float>(), dx.data<T>(), accumulate);
            if (!through_stats) {
                kernels::batch_norm_backward_moments(exec_, channels(x), variance, gamma, p.epsilon, dgamma, dbeta,
                                                     gradients.dmean.data<float>(), gradients.dvariance.data<float>());
            }
        });
    }

    void update_running(const BatchStats& batch, int64_t rows, float decay, const BatchStats& running) override {
        kernels::update_running(exec_, static_cast<int>(batch.mean.elements()), rows, batch.mean.data<float>(),
                                batch.variance.data<float>(), decay, running.mean.data<float>(),
                                running.variance.data<float>());
    }

    void relu(const Tensor& x, const Tensor& y) override {
        with_activation_type(x.dtype(),
                             [&]<class T>(T) { kernels::relu(exec_, x.elements(), x.data<T>(), y.data<T>()); });
    }

    void relu_backward(const Tensor& y, const Tensor& dy, const Tensor& dx) override {
        with_activation_type(y.dtype(), [&]<class T>(T) {
            kernels::relu_backward(exec_, y.elements(), y.data<T>(), dy.data<T>(), dx.data<T>());
        });
    }

    void add(const Tensor& a, const Tensor& b, const Tensor& sum) override {
        with_activation_type(
            a.dtype(), [&]<class T>(T) { kernels::add(exec_, a.elements(), a.data<T>(), b.data<T>(), sum.data<T>()); });
    }

    void scale(const Tensor& x, const Tensor& factor, const Tensor& y) override {
        kernels::scale(exec_, x.elements(), x.data<float>(), factor.data<float>(), y.data<float>());
    }

    void cast(const Tensor& x, const Tensor& y) override {
        if (x.dtype() == DType::kFloat32) {
            kernels::cast(exec_, x.elements(), x.data<float>(), y.data<bfloat16>());
        } else {
            kernels::cast(exec_, x.elements(), x.data<bfloat16>(), y.data<float>());
        }
    }

    void shortcut(ShortcutKind kind, const Tensor& x, const Tensor& y) override {
        with_activation_type(x.dtype(), [&]<class T>(T) {
            const auto shape = shortcut_shape(x, y);
            if (kind == ShortcutKind::kAveragePool) {
                kernels::avgpool_zeropad(exec_, shape, x.data<T>(), y.data<T>());
            } else {
                kernels::subsample_zeropad(exec_, shape, x.data<T>(), y.data<T>());
            }
        });
    }

    void shortcut_backward(ShortcutKind kind, const Tensor& dy, const Tensor& dx) override {
        with_activation_type(dx.dtype(), [&]<class T>(T) {
            const auto shape = shortcut_shape(dx, dy);
            if (kind == ShortcutKind::kAveragePool) {
                kernels::avgpool_zeropad_backward(exec_, shape, dy.data<T>(), dx.data<T>());
            } else {
                kernels::subsample_zeropad_backward(exec_, shape, dy.data<T>(), dx.data<T>());
            }
        });
    }

    void global_average_pool(const Tensor& x, const Tensor& y) override {
        with_activation_type(x.dtype(), [&]<class T>(T) {
            kernels::global_average_pool(exec_, extent(x, 0), extent(x, 1) * extent(x, 2), extent(x, 3), x.data<T>(),
                                         y.data<float>());
        });
    }

    void global_average_pool_backward(const Tensor& dy, const Tensor& dx) override {
        with_activation_type(dx.dtype(), [&]<class T>(T) {
            kernels::global_average_pool_backward(exec_, extent(dx, 0), extent(dx, 1) * extent(dx, 2), extent(dx, 3),
                                                  dy.data<float>(), dx.data<T>());
        });
    }

    void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& loss, const Tensor& dlogits,
                               const Tensor& correct, const Tensor& totals) override {
        kernels::softmax_cross_entropy(exec_, extent(logits, 0), extent(logits, 1), logits.data<float>(),
                                       labels.data<int32_t>(), loss.data<float>(), data_or_null<float>(dlogits),
                                       correct.data<int32_t>(), metrics(totals));
    }

    void sgd_momentum(const SgdParams& p, const Tensor& gradient, const Tensor& velocity, const Tensor& weight,
                      const Tensor& copy, int batch, const Tensor& totals) override {
        const kernels::SgdShape shape{weight.elements(), p.decayed, p.momentum, p.weight_decay, p.nesterov, batch};
        const bool scheduled = p.boundaries.defined();
        const Tensor scratch = float_scratch(kernels::sgd_momentum_scratch_floats(exec_, shape));
        kernels::sgd_momentum(exec_, shape,
                              {scheduled ? p.boundaries.data<int64_t>() : nullptr, p.rates.data<float>(),
                               scheduled ? extent(p.boundaries, 0) : 0},
                              p.step.data<int64_t>(), gradient.data<float>(), velocity.data<float>(),
                              weight.data<float>(), data_or_null<bfloat16>(copy), metrics(totals),
                              sum_scratch(scratch));
    }

    void gather_augment(const kernels::AugmentShape& shape, const Tensor& records, const Tensor& mean,
                        const Tensor& step, const Tensor& images, const Tensor& labels) override {
        with_activation_type(images.dtype(), [&]<class T>(T) {
            kernels::gather_augment(exec_, shape, records.data<uint8_t>(), mean.data<float>(), step.data<int64_t>(),
                                    images.data<T>(), labels.data<int32_t>());
        });
    }

  protected:
    static int extent(const Tensor& x, int axis) { return static_cast<int>(x.shape()[axis]); }
    static int channels(const Tensor& x) { return extent(x, -1); }
    static int rows(const Tensor& x) { return static_cast<int>(x.elements() / x.shape()[-1]); }
    static kernels::BatchNormShape batch_norm_shape(const Tensor& x) { return {rows(x), channels(x)}; }

    const Tensor& tickets() const { return tickets_; }
    Tensor float_scratch(size_t floats) { return empty({static_cast<int64_t>(floats)}, DType::kFloat32); }
    // Combines the scratch of one call with the tickets that all calls share.
    kernels::SumScratch sum_scratch(const Tensor& floats) const {
        return {floats.data<float>(), static_cast<uint32_t*>(tickets_.data())};
    }

  private:
    static kernels::Metrics* metrics(const Tensor& totals) {
        return totals.defined() ? static_cast<kernels::Metrics*>(totals.data()) : nullptr;
    }
    static kernels::ShortcutShape shortcut_shape(const Tensor& x, const Tensor& y) {
        return {extent(x, 0), extent(x, 1), extent(x, 2), extent(x, 3), extent(y, 3)};
    }

    Tensor batch_norm_scratch(const Tensor& x) {
        return float_scratch(kernels::batch_stats_scratch_floats(exec_, batch_norm_shape(x)));
    }

    Exec exec_;
    Tensor one_;
    Tensor tickets_;  // kTickets 32-bit words; see SumScratch
};

}  // namespace residual

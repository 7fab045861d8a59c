#include "kernels/batch_norm.h"

#include "kernels/batch_norm_body.h"
#include "kernels/host/channel_lines.h"
#include "kernels/host/parallel.h"
#include "kernels/host/target.h"

namespace residual::kernels {
namespace {

template <bool Relu, bool Residual, class T>
void batch_norm_lines(const ChannelLines& lines, const BatchNormLine& p, const T* x, const T* residual, T* y) {
#pragma omp parallel for schedule(static) if (lines.count * kLineElements > kParallelElements)
    for (int64_t line = 0; line < lines.count; ++line) {
        const int64_t offset = lines.offset(line);
        const int width = lines.width(line);
        const T* source = x + offset;
        const T* added = Residual ? residual + offset : nullptr;
        T* target = y + offset;
#pragma omp simd
        for (int i = 0; i < width; ++i) {
            float value = normalised(to_float(source[i]), p.mean.v[i], p.scale.v[i], p.beta.v[i]);
            if constexpr (Residual) value += to_float(added[i]);
            if constexpr (Relu) value = value <= 0.0f ? 0.0f : value;
            store(target[i], value);
        }
    }
}

struct BatchNormBackwardLine : BatchNormLine {
    Line shift, slope;
    using BatchNormLine::BatchNormLine;
};

template <bool Relu, bool Accumulate, class T>
void batch_norm_backward_lines(const ChannelLines& lines, const BatchNormBackwardLine& p, const T* dy, const T* x,
                               T* dx) {
#pragma omp parallel for schedule(static) if (lines.count * kLineElements > kParallelElements)
    for (int64_t line = 0; line < lines.count; ++line) {
        const int64_t offset = lines.offset(line);
        const int width = lines.width(line);
        const T* upstream = dy + offset;
        const T* source = x + offset;
        T* target = dx + offset;
#pragma omp simd
        for (int i = 0; i < width; ++i) {
            const float value = to_float(source[i]);
            const float g = passed_gradient<Relu>(to_float(upstream[i]), value, p.mean.v[i], p.scale.v[i], p.beta.v[i]);
            float gradient = batch_norm_gradient_value(g, value, p.mean.v[i], p.scale.v[i], p.shift.v[i], p.slope.v[i]);
            if constexpr (Accumulate) gradient += to_float(target[i]);
            store(target[i], gradient);
        }
    }
}

struct MomentsLine {
    Line mean, shift, slope;
};

template <bool Accumulate, class T>
void batch_stats_backward_lines(const ChannelLines& lines, const MomentsLine& p, const T* x, T* dx) {
#pragma omp parallel for schedule(static) if (lines.count * kLineElements > kParallelElements)
    for (int64_t line = 0; line < lines.count; ++line) {
        const int64_t offset = lines.offset(line);
        const int width = lines.width(line);
        const T* source = x + offset;
        T* target = dx + offset;
#pragma omp simd
        for (int i = 0; i < width; ++i) {
            float gradient = moments_gradient_value(to_float(source[i]), {p.mean.v[i], p.shift.v[i], p.slope.v[i]});
            if constexpr (Accumulate) gradient += to_float(target[i]);
            store(target[i], gradient);
        }
    }
}

}  // namespace

template <class Exec, class T>
void batch_norm(const Exec&, const BatchNormShape& shape, const T* x, const float* mean, const float* variance,
                const float* gamma, const float* beta, float epsilon, bool relu,
                const std::type_identity_t<T>* residual, T* y) {
    for_each_slice(shape, [&](const ChannelLines& lines) {
        const BatchNormLine p(lines, mean, variance, gamma, beta, epsilon);
        if (residual != nullptr) {
            relu ? batch_norm_lines<true, true>(lines, p, x, residual, y)
                 : batch_norm_lines<false, true>(lines, p, x, residual, y);
        } else {
            relu ? batch_norm_lines<true, false>(lines, p, x, residual, y)
                 : batch_norm_lines<false, false>(lines, p, x, residual, y);
        }
    });
}

template <class Exec, class T>
void batch_norm_backward(const Exec&, const BatchNormShape& shape, const T* dy, const T* x, const float* mean,
                         const float* variance, const float* gamma, const float* beta, float epsilon, bool relu,
                         const float* dgamma, const float* dbeta, T* dx, bool accumulate) {
    for_each_slice(shape, [&](const ChannelLines& lines) {
        BatchNormBackwardLine p(lines, mean, variance, gamma, beta, epsilon);
        const auto gradient = [&](int c) {
            const int i = lines.first_channel + c;
            return batch_norm_gradient(reciprocal_std(variance[i], epsilon), gamma[i], dgamma[i], dbeta[i], shape.rows);
        };
        p.shift.spread(lines, [&](int c) { return gradient(c).shift; });
        p.slope.spread(lines, [&](int c) { return gradient(c).slope; });
        if (relu) {
            accumulate ? batch_norm_backward_lines<true, true>(lines, p, dy, x, dx)
                       : batch_norm_backward_lines<true, false>(lines, p, dy, x, dx);
        } else {
            accumulate ? batch_norm_backward_lines<false, true>(lines, p, dy, x, dx)
                       : batch_norm_backward_lines<false, false>(lines, p, dy, x, dx);
        }
    });
}

template <class Exec, class T>
void batch_stats_backward(const Exec&, const BatchNormShape& shape, const T* x, const float* mean, const float* dmean,
                          const float* dvariance, T* dx, bool accumulate) {
    for_each_slice(shape, [&](const ChannelLines& lines) {
        MomentsLine p;
        const auto slope = [&](int c) {
            const int i = lines.first_channel + c;
            return moments_slope(mean[i], dmean ? dmean[i] : 0.0f, dvariance ? dvariance[i] : 0.0f, shape.rows);
        };
        p.mean.spread(lines, [&](int c) { return slope(c).mean; });
        p.shift.spread(lines, [&](int c) { return slope(c).shift; });
        p.slope.spread(lines, [&](int c) { return slope(c).slope; });
        accumulate ? batch_stats_backward_lines<true>(lines, p, x, dx)
                   : batch_stats_backward_lines<false>(lines, p, x, dx);
    });
}

template <class Exec>
void batch_norm_backward_moments(const Exec&, int channels, const float* variance, const float* gamma, float epsilon,
                                 const float* dgamma, const float* dbeta, float* dmean, float* dvariance) {
    for (int c = 0; c < channels; ++c) {
        const float rstd = reciprocal_std(variance[c], epsilon);
        dmean[c] = mean_gradient(rstd, gamma[c], dbeta[c]);
        dvariance[c] = variance_gradient(rstd, gamma[c], dgamma[c]);
    }
}

template <class Exec>
void update_running(const Exec&, int channels, int64_t rows, const float* mean, const float* variance, float decay,
                    float* running_mean, float* running_variance) {
    const float factor = unbiased_factor(rows);
    for (int c = 0; c < channels; ++c) {
        running_mean[c] = running_value(running_mean[c], mean[c], decay);
        running_variance[c] = running_value(running_variance[c], variance[c] * factor, decay);
    }
}

template void batch_norm(const Target&, const BatchNormShape&, const float*, const float*, const float*, const float*,
                         const float*, float, bool, const float*, float*);
template void batch_norm(const Target&, const BatchNormShape&, const bfloat16*, const float*, const float*,
                         const float*, const float*, float, bool, const bfloat16*, bfloat16*);
template void batch_norm_backward(const Target&, const BatchNormShape&, const float*, const float*, const float*,
                                  const float*, const float*, const float*, float, bool, const float*, const float*,
                                  float*, bool);
template void batch_norm_backward(const Target&, const BatchNormShape&, const bfloat16*, const bfloat16*, const float*,
                                  const float*, const float*, const float*, float, bool, const float*, const float*,
                                  bfloat16*, bool);
template void batch_stats_backward(const Target&, const BatchNormShape&, const float*, const float*, const float*,
                                   const float*, float*, bool);
template void batch_stats_backward(const Target&, const BatchNormShape&, const bfloat16*, const float*, const float*,
                                   const float*, bfloat16*, bool);
template void batch_norm_backward_moments(const Target&, int, const float*, const float*, float, const float*,
                                          const float*, float*, float*);
template void update_running(const Target&, int, int64_t, const float*, const float*, float, float*, float*);

}  // namespace residual::kernels

#include "kernels/batch_norm.h"

#include "kernels/batch_norm_body.h"
#include "kernels/cuda/channel_grid.h"

namespace residual::kernels {
namespace {

template <class T>
__global__ void batch_norm_kernel(BatchNormShape shape, const T* x, const float* mean, const float* variance,
                                  const float* gamma, const float* beta, float epsilon, bool relu, const T* residual,
                                  T* y) {
    const int c = channel_of_thread();
    if (c >= shape.channels) return;
    const float m = mean[c], b = beta[c], scale = gamma[c] * reciprocal_std(variance[c], epsilon);
    for (int64_t row = first_row(); row < shape.rows; row += grid_rows()) {
        const int64_t i = row * shape.channels + c;
        float value = normalised(to_float(x[i]), m, scale, b);
        if (residual != nullptr) value += to_float(residual[i]);
        if (relu && value <= 0.0f) value = 0.0f;
        store(y[i], value);
    }
}

template <bool Relu, class T>
__global__ void batch_norm_backward_kernel(BatchNormShape shape, const T* dy, const T* x, const float* mean,
                                           const float* variance, const float* gamma, const float* beta, float epsilon,
                                           const float* dgamma, const float* dbeta, T* dx, bool accumulate) {
    const int c = channel_of_thread();
    if (c >= shape.channels) return;
    const float m = mean[c], b = beta[c];
    const BatchNormGradient p =
        batch_norm_gradient(reciprocal_std(variance[c], epsilon), gamma[c], dgamma[c], dbeta[c], shape.rows);
    for (int64_t row = first_row(); row < shape.rows; row += grid_rows()) {
        const int64_t i = row * shape.channels + c;
        const float value = to_float(x[i]);
        const float g = passed_gradient<Relu>(to_float(dy[i]), value, m, p.scale, b);
        float gradient = batch_norm_gradient_value(g, value, m, p.scale, p.shift, p.slope);
        if (accumulate) gradient += to_float(dx[i]);
        store(dx[i], gradient);
    }
}

template <class T>
__global__ void batch_stats_backward_kernel(BatchNormShape shape, const T* x, const float* mean, const float* dmean,
                                            const float* dvariance, T* dx, bool accumulate) {
    const int c = channel_of_thread();
    if (c >= shape.channels) return;
    const MomentsSlope p = moments_slope(mean[c], dmean != nullptr ? dmean[c] : 0.0f,
                                         dvariance != nullptr ? dvariance[c] : 0.0f, shape.rows);
    for (int64_t row = first_row(); row < shape.rows; row += grid_rows()) {
        const int64_t i = row * shape.channels + c;
        float gradient = moments_gradient_value(to_float(x[i]), p);
        if (accumulate) gradient += to_float(dx[i]);
        store(dx[i], gradient);
    }
}

__global__ void batch_norm_backward_moments_kernel(int channels, const float* variance, const float* gamma,
                                                   float epsilon, const float* dgamma, const float* dbeta, float* dmean,
                                                   float* dvariance) {
    for (int64_t c = first_element(); c < channels; c += grid_threads()) {
        const float rstd = reciprocal_std(variance[c], epsilon);
        dmean[c] = mean_gradient(rstd, gamma[c], dbeta[c]);
        dvariance[c] = variance_gradient(rstd, gamma[c], dgamma[c]);
    }
}

__global__ void update_running_kernel(int channels, float factor, const float* mean, const float* variance, float decay,
                                      float* running_mean, float* running_variance) {
    for (int64_t c = first_element(); c < channels; c += grid_threads()) {
        running_mean[c] = running_value(running_mean[c], mean[c], decay);
        running_variance[c] = running_value(running_variance[c], variance[c] * factor, decay);
    }
}

}  // namespace

template <class Exec, class T>
void batch_norm(const Exec& exec, const BatchNormShape& shape, const T* x, const float* mean, const float* variance,
                const float* gamma, const float* beta, float epsilon, bool relu,
                const std::type_identity_t<T>* residual, T* y) {
    launch(batch_norm_kernel<T>, row_grid(shape), channel_block(shape), 0, exec.stream, shape, x, mean, variance, gamma,
           beta, epsilon, relu, residual, y);
}

template <class Exec, class T>
void batch_norm_backward(const Exec& exec, const BatchNormShape& shape, const T* dy, const T* x, const float* mean,
                         const float* variance, const float* gamma, const float* beta, float epsilon, bool relu,
                         const float* dgamma, const float* dbeta, T* dx, bool accumulate) {
    launch(relu ? batch_norm_backward_kernel<true, T> : batch_norm_backward_kernel<false, T>, row_grid(shape),
           channel_block(shape), 0, exec.stream, shape, dy, x, mean, variance, gamma, beta, epsilon, dgamma, dbeta, dx,
           accumulate);
}

template <class Exec, class T>
void batch_stats_backward(const Exec& exec, const BatchNormShape& shape, const T* x, const float* mean,
                          const float* dmean, const float* dvariance, T* dx, bool accumulate) {
    launch(batch_stats_backward_kernel<T>, row_grid(shape), channel_block(shape), 0, exec.stream, shape, x, mean, dmean,
           dvariance, dx, accumulate);
}

template <class Exec>
void batch_norm_backward_moments(const Exec& exec, int channels, const float* variance, const float* gamma,
                                 float epsilon, const float* dgamma, const float* dbeta, float* dmean,
                                 float* dvariance) {
    launch(batch_norm_backward_moments_kernel, element_grid(channels), kBlockThreads, 0, exec.stream, channels,
           variance, gamma, epsilon, dgamma, dbeta, dmean, dvariance);
}

template <class Exec>
void update_running(const Exec& exec, int channels, int64_t rows, const float* mean, const float* variance, float decay,
                    float* running_mean, float* running_variance) {
    launch(update_running_kernel, element_grid(channels), kBlockThreads, 0, exec.stream, channels,
           unbiased_factor(rows), mean, variance, decay, running_mean, running_variance);
}

template void batch_norm(const Cuda&, const BatchNormShape&, const float*, const float*, const float*, const float*,
                         const float*, float, bool, const float*, float*);
template void batch_norm(const Cuda&, const BatchNormShape&, const bfloat16*, const float*, const float*, const float*,
                         const float*, float, bool, const bfloat16*, bfloat16*);
template void batch_norm_backward(const Cuda&, const BatchNormShape&, const float*, const float*, const float*,
                                  const float*, const float*, const float*, float, bool, const float*, const float*,
                                  float*, bool);
template void batch_norm_backward(const Cuda&, const BatchNormShape&, const bfloat16*, const bfloat16*, const float*,
                                  const float*, const float*, const float*, float, bool, const float*, const float*,
                                  bfloat16*, bool);
template void batch_stats_backward(const Cuda&, const BatchNormShape&, const float*, const float*, const float*,
                                   const float*, float*, bool);
template void batch_stats_backward(const Cuda&, const BatchNormShape&, const bfloat16*, const float*, const float*,
                                   const float*, bfloat16*, bool);
template void batch_norm_backward_moments(const Cuda&, int, const float*, const float*, float, const float*,
                                          const float*, float*, float*);
template void update_running(const Cuda&, int, int64_t, const float*, const float*, float, float*, float*);

}  // namespace residual::kernels

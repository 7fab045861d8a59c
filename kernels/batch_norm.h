#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"

namespace residual::kernels {

// Batch normalisation (S. Ioffe, C. Szegedy: Batch Normalization, ICML 2015) in separate steps, so that the op that
// writes a tensor can compute its statistics and the op that reads it can normalise.
//
// Tensors are [rows, channels] (NHWC with batch, height and width flattened into rows), T float or bfloat16;
// statistics, parameters and their gradients are float [channels]. rows >= 1. rstd = 1 / sqrt(variance + epsilon), xhat
// = (x - mean) * rstd. The result of a reduction depends on the shape and the device, not on the run or the number of
// threads.

struct BatchNormShape {
    int64_t rows;
    int channels;
};

// Floats of scratch for the reductions below. The scratch is aligned to 8 bytes and needs no initialisation.
template <class Exec>
size_t batch_stats_scratch_floats(const Exec& exec, const BatchNormShape& shape);

// The mean and the biased variance of every channel of x. For each block of rows, small enough to stay in registers or
// cache, computes the mean and then the sum of the squared deviations from it. Blocks are merged in a fixed order
// (T. Chan, G. Golub, R. LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979).
// Reads x from memory once.
template <class Exec, class T>
void batch_stats(const Exec& exec, const BatchNormShape& shape, const T* x, float* mean, float* variance,
                 float* scratch);

// y += residual, rounded to T; then the statistics of the rounded y. Reads y and residual once, writes y once.
template <class Exec, class T>
void add_batch_stats(const Exec& exec, const BatchNormShape& shape, const T* residual, T* y, float* mean,
                     float* variance, float* scratch);

// y = gamma * xhat + beta [+ residual], then max(., 0) if relu. residual may be null; y may be x or residual.
// Reads x (and residual) once and writes y once.
template <class Exec, class T>
void batch_norm(const Exec& exec, const BatchNormShape& shape, const T* x, const float* mean, const float* variance,
                const float* gamma, const float* beta, float epsilon, bool relu,
                const std::type_identity_t<T>* residual, T* y);

// dgamma = sum of g * xhat and dbeta = sum of g over the rows. g = dy without relu; with relu,
// g = gamma * xhat + beta > 0 ? dy : 0. Reads dy and x once.
template <class Exec, class T>
void batch_norm_backward_reduce(const Exec& exec, const BatchNormShape& shape, const T* dy, const T* x,
                                const float* mean, const float* variance, const float* gamma, const float* beta,
                                float epsilon, bool relu, float* dgamma, float* dbeta, float* scratch);

// The gradient through the normalisation and its batch statistics, from the sums of batch_norm_backward_reduce:
// dx = gamma * rstd * (g - dbeta / rows - xhat * dgamma / rows), added to dx if accumulate. With zeros
// for dgamma and dbeta, it is the gradient with the statistics held fixed. dx may be dy. Reads dy and x (and dx) once
// and writes dx once.
template <class Exec, class T>
void batch_norm_backward(const Exec& exec, const BatchNormShape& shape, const T* dy, const T* x, const float* mean,
                         const float* variance, const float* gamma, const float* beta, float epsilon, bool relu,
                         const float* dgamma, const float* dbeta, T* dx, bool accumulate);

// The gradient of batch_stats: dx = dmean / rows + 2 * dvariance * (x - mean) / rows, added to dx if accumulate. dmean
// or dvariance may be null, meaning zeros. Reads x (and dx) once and writes dx once.
template <class Exec, class T>
void batch_stats_backward(const Exec& exec, const BatchNormShape& shape, const T* x, const float* mean,
                          const float* dmean, const float* dvariance, T* dx, bool accumulate);

// The gradients of the mean and variance that batch_norm used, from the sums of batch_norm_backward_reduce.
template <class Exec>
void batch_norm_backward_moments(const Exec& exec, int channels, const float* variance, const float* gamma,
                                 float epsilon, const float* dgamma, const float* dbeta, float* dmean,
                                 float* dvariance);

// running = decay * running + (1 - decay) * batch, for the mean and the unbiased variance: the input variance is
// biased, over `rows` rows, and is multiplied by rows / max(rows - 1, 1).
template <class Exec>
void update_running(const Exec& exec, int channels, int64_t rows, const float* mean, const float* variance, float decay,
                    float* running_mean, float* running_variance);

}  // namespace residual::kernels

#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/common.h"

namespace residual::kernels {

// The mean of some values and the sum of their squared deviations from it; the count is kept beside. Double, because a
// mean that is large against the standard deviation loses it in the rounding of a float.
struct Moments {
    double mean;
    double m2;
};

// From the sums of (x - pivot) and (x - pivot)^2 over `count` values, where the pivot is their mean up to rounding: the
// two corrections remove that rounding error.
RESIDUAL_HD inline Moments moments_about(float pivot, float deviation_sum, float square_sum, double count) {
    const double deviation = deviation_sum;
    return {pivot + deviation / count, square_sum - deviation * deviation / count};
}

// Chan, Golub, LeVeque 1979: the moments of a and b together. count_a may be 0, count_b not.
RESIDUAL_HD inline Moments merge_moments(Moments a, double count_a, Moments b, double count_b) {
    const double share = count_b / (count_a + count_b);
    const double delta = b.mean - a.mean;
    return {a.mean + delta * share, a.m2 + b.m2 + delta * delta * (count_a * share)};
}

RESIDUAL_HD inline float variance_of(double m2, int64_t rows) {
    const double variance = m2 / static_cast<double>(rows);
    return static_cast<float>(variance < 0.0 ? 0.0 : variance);
}

RESIDUAL_HD inline float reciprocal_std(float variance, float epsilon) {
    return 1.0f / std::sqrt(variance + epsilon);
}

// gamma * xhat + beta with scale = gamma * rstd. Forward and backward both call it, so that the ReLU's mask is the
// same.
RESIDUAL_HD inline float normalised(float x, float mean, float scale, float beta) {
    return (x - mean) * scale + beta;
}

// The gradient that passes the ReLU behind the normalisation.
template <bool Relu>
RESIDUAL_HD inline float passed_gradient(float dy, float x, float mean, float scale, float beta) {
    return !Relu || normalised(x, mean, scale, beta) > 0.0f ? dy : 0.0f;
}

// What norm_backward needs of a channel:
//     dx = gamma * rstd * (g - dbeta / rows - xhat * dgamma / rows) = scale * (g - shift - (x - mean) * slope)
struct BatchNormGradient {
    float scale, shift, slope;
};

RESIDUAL_HD inline BatchNormGradient batch_norm_gradient(float rstd, float gamma, float dgamma, float dbeta,
                                                         int64_t rows) {
    const float share = 1.0f / static_cast<float>(rows);
    return {gamma * rstd, dbeta * share, rstd * dgamma * share};
}

RESIDUAL_HD inline float batch_norm_gradient_value(float g, float x, float mean, float scale, float shift,
                                                   float slope) {
    return scale * (g - shift - (x - mean) * slope);
}

// The gradients of mean and variance through a normalisation that was given them, from the sums over the rows:
// xhat = (x - mean) * rstd moves by -rstd for each unit of the mean, and by -xhat * rstd^2 / 2 for each of the
// variance.
RESIDUAL_HD inline float mean_gradient(float rstd, float gamma, float dbeta) {
    return -gamma * rstd * dbeta;
}
RESIDUAL_HD inline float variance_gradient(float rstd, float gamma, float dgamma) {
    return -0.5f * gamma * rstd * rstd * dgamma;
}

// What the gradients of a tensor's moments bring to each of its elements:
//     dmean / rows + 2 * dvariance * (x - mean) / rows = shift + (x - mean) * slope
struct MomentsSlope {
    float mean, shift, slope;
};

RESIDUAL_HD inline MomentsSlope moments_slope(float mean, float dmean, float dvariance, int64_t rows) {
    const float share = 1.0f / static_cast<float>(rows);
    return {mean, dmean * share, 2.0f * dvariance * share};
}

RESIDUAL_HD inline float moments_gradient_value(float x, const MomentsSlope& s) {
    return s.shift + (x - s.mean) * s.slope;
}

RESIDUAL_HD inline float running_value(float running, float batch, float decay) {
    return decay * running + (1.0f - decay) * batch;
}

// Multiplies a biased variance to make it unbiased.
RESIDUAL_HD inline float unbiased_factor(int64_t rows) {
    return static_cast<float>(static_cast<double>(rows) / static_cast<double>(rows > 1 ? rows - 1 : 1));
}

}  // namespace residual::kernels

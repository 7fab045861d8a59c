#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/common.h"

namespace residual::kernels {

// The mean of some values and the sum of their squared deviations from it. Double: if the mean is much larger than the
// standard deviation, rounding to float would lose the deviation.
struct Moments {
    double mean;
    double m2;
};

// From the sums of (x - pivot) and (x - pivot)^2 over `count` values, for a pivot near their mean; corrects for the
// difference between pivot and mean.
RESIDUAL_HD inline Moments moments_about(float pivot, float deviation_sum, float square_sum, double count) {
    const double deviation = deviation_sum;
    return {pivot + deviation / count, square_sum - deviation * deviation / count};
}

// The moments of a and b together (Chan, Golub, LeVeque 1979). count_a may be 0, count_b must not be.
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

// gamma * xhat + beta with scale = gamma * rstd. Forward and backward both call this, so that their ReLU masks agree.
RESIDUAL_HD inline float normalised(float x, float mean, float scale, float beta) {
    return (x - mean) * scale + beta;
}

// dy masked by the ReLU, if any, that follows the normalisation.
template <bool Relu>
RESIDUAL_HD inline float passed_gradient(float dy, float x, float mean, float scale, float beta) {
    return !Relu || normalised(x, mean, scale, beta) > 0.0f ? dy : 0.0f;
}

// The per-channel constants of batch_norm_backward:
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

// The gradients of the mean and variance that the normalisation used, from the sums over the rows:
// d xhat / d mean = -rstd, d xhat / d variance = -xhat * rstd^2 / 2.
RESIDUAL_HD inline float mean_gradient(float rstd, float gamma, float dbeta) {
    return -gamma * rstd * dbeta;
}
RESIDUAL_HD inline float variance_gradient(float rstd, float gamma, float dgamma) {
    return -0.5f * gamma * rstd * rstd * dgamma;
}

// The contribution of the gradients of a tensor's moments to the gradient of each element:
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

// unbiased variance / biased variance
RESIDUAL_HD inline float unbiased_factor(int64_t rows) {
    return static_cast<float>(static_cast<double>(rows) / static_cast<double>(rows > 1 ? rows - 1 : 1));
}

}  // namespace residual::kernels

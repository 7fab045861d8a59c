// Batch norm and its gradients as plain loops in double precision; the last axis is the channel.
#pragma once

#include "tools/reference/values.h"

namespace residual::reference {

// Of each channel, the variance biased; or their gradients.
struct Moments {
    Values mean, variance;
};

Moments moments_of(const Values& x, size_t channels);

// The gradient of x through its moments, whose gradient is given. `rows` is the number of rows over which the moments
// were computed, by default those of x.
Values moments_dx(const Values& x, const Values& mean, const Moments& gradient, double rows);
Values moments_dx(const Values& x, const Values& mean, const Moments& gradient);

struct BatchNormSums {
    Values dgamma, dbeta;
};

struct BatchNorm {
    Moments moments;
    Values gamma, beta;
    double epsilon;
    bool relu;

    size_t channels() const { return gamma.size(); }
    double rstd(size_t c) const;
    double scale(size_t c) const { return gamma[c] * rstd(c); }
    double normalised(double x, size_t c) const { return (x - moments.mean[c]) * rstd(c); }

    // [relu](gamma * (x - mean) / sqrt(variance + epsilon) + beta [+ residual])
    Values forward(const Values& x, const Values& residual = {}) const;

    // dy where the ReLU passes it, else 0; also the gradient of the residual. The functions below take it.
    Values masked(const Values& x, Values dy, const Values& residual = {}) const;
    BatchNormSums sums(const Values& x, const Values& masked_dy) const;
    // The gradient of x with the moments held fixed, and the gradients of the moments.
    Values dx_fixed(const Values& masked_dy) const;
    Moments moments_gradient(const BatchNormSums& sums) const;
    // The whole gradient of x, through its moments as well.
    Values dx(const Values& x, const Values& masked_dy) const;
};

}  // namespace residual::reference

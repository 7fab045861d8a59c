// Convolution and batch norm as plain loops in double precision, NHWC.
#pragma once

#include "engine/backend/params.h"
#include "tools/kernel_bench/trial.h"

namespace bench {

// Of a convolution with x [pictures, ...], for as many pictures as x or dy holds.
Values conv_reference(const engine::Conv2dParams& p, const Values& x, const Values& weight);
Values conv_dx_reference(const engine::Conv2dParams& p, const Values& dy, const Values& weight);
Values conv_dw_reference(const engine::Conv2dParams& p, const Values& x, const Values& dy);

struct StatsReference {
    Values mean, variance;  // variance: biased
};
StatsReference stats_reference(const Values& x, size_t channels);

struct NormSums {
    Values dgamma, dbeta;
};

struct MomentsGradients {
    Values dmean, dvariance;
};

struct NormReference {
    StatsReference stats;
    Values gamma, beta;
    double epsilon;
    bool relu;

    size_t channels() const { return gamma.size(); }
    double scale(size_t c) const;
    double value(double x, size_t c) const;  // Before the ReLU.

    Values forward(const Values& x) const;
    // dgamma and dbeta: the sums of g * xhat and of g, g being dy behind the ReLU's mask.
    NormSums sums(const Values& x, const Values& dy) const;
    // The gradient of x with the statistics held fixed, or through them as well.
    Values dx_fixed(const Values& x, const Values& dy) const;
    Values dx(const Values& x, const Values& dy) const;
    // What to add to the gradient of x with the statistics held fixed, for the part that flows through them; the sums
    // are those over `rows` rows.
    Values stats_part(const Values& x, const NormSums& sums, double rows) const;
    // Gradients of the statistics, from the sums.
    MomentsGradients moments_gradient(const NormSums& sums) const;
};

Values plus(Values a, const Values& b);
// 2x2 average pool, then channels of zeros, half on each side; and every second pixel instead of the pool.
Values avgpool_pad_reference(const Values& x, int height, int width, int channels, int out_channels);
Values subsample_pad_reference(const Values& x, int height, int width, int channels, int out_channels);

}  // namespace bench

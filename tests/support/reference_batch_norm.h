// Batch norm and its gradient in double precision, on arrays whose last axis is the channel.
#pragma once

#include "tests/support/array.h"
#include "tools/reference/batch_norm.h"

namespace test {

struct ReferenceStats {
    Array mean, variance;  // the biased variance
};

inline ReferenceStats stats_of(const Array& x) {
    const Shape channels{x.shape[-1]};
    residual::reference::Moments moments = residual::reference::moments_of(x.values, static_cast<size_t>(channels[0]));
    return {Array(channels, std::move(moments.mean)), Array(channels, std::move(moments.variance))};
}

struct ReferenceBatchNorm {
    Array gamma, beta;
    double epsilon;
    bool relu;

    Array forward(const Array& x, const ReferenceStats& stats, const Array* residual = nullptr) const {
        return {x.shape, with(stats).forward(x.values, values_of(residual))};
    }

    struct Gradients {
        Array dx, dgamma, dbeta, dresidual;
    };

    // Includes the gradient through the statistics of x.
    Gradients backward(const Array& x, const Array& dy, const Array* residual = nullptr) const {
        const residual::reference::BatchNorm batch_norm = with(stats_of(x));
        const Array masked(x.shape, batch_norm.masked(x.values, dy.values, values_of(residual)));
        const residual::reference::BatchNormSums sums = batch_norm.sums(x.values, masked.values);
        return {Array(x.shape, batch_norm.dx(x.values, masked.values)), Array(gamma.shape, sums.dgamma),
                Array(beta.shape, sums.dbeta), masked};
    }

  private:
    residual::reference::BatchNorm with(const ReferenceStats& stats) const {
        return {{stats.mean.values, stats.variance.values}, gamma.values, beta.values, epsilon, relu};
    }
    static residual::reference::Values values_of(const Array* array) {
        return array == nullptr ? residual::reference::Values() : array->values;
    }
};

}  // namespace test

// Batch norm and its gradient as plain loops in double precision; the last axis is the channel.
#pragma once

#include "tests/support/array.h"

namespace test {

struct ReferenceStats {
    Array mean, variance;  // variance: biased
};

inline ReferenceStats stats_of(const Array& x) {
    const int64_t channels = x.shape[-1];
    const int64_t rows = x.shape.elements() / channels;
    ReferenceStats stats{Array({channels}), Array({channels})};
    for (int64_t c = 0; c < channels; ++c) {
        double& mean = stats.mean.values[c];
        double& variance = stats.variance.values[c];
        for (int64_t r = 0; r < rows; ++r) mean += x.values[r * channels + c] / rows;
        for (int64_t r = 0; r < rows; ++r) {
            const double distance = x.values[r * channels + c] - mean;
            variance += distance * distance / rows;
        }
    }
    return stats;
}

struct ReferenceNorm {
    Array gamma, beta;
    double epsilon;
    bool relu;

    // [relu](gamma * (x - mean) / sqrt(variance + epsilon) + beta [+ residual])
    Array forward(const Array& x, const ReferenceStats& stats, const Array* residual = nullptr) const {
        const int64_t channels = x.shape[-1];
        Array y(x.shape);
        for (size_t i = 0; i < y.values.size(); ++i) {
            const size_t c = i % channels;
            const double deviation = std::sqrt(stats.variance.values[c] + epsilon);
            double value = gamma.values[c] * (x.values[i] - stats.mean.values[c]) / deviation + beta.values[c];
            if (residual != nullptr) value += residual->values[i];
            y.values[i] = relu && value < 0 ? 0 : value;
        }
        return y;
    }

    struct Gradients {
        Array dx, dgamma, dbeta, dresidual;
    };

    // Through the statistics of x as well.
    Gradients backward(const Array& x, const Array& dy, const Array* residual = nullptr) const {
        const int64_t channels = x.shape[-1];
        const int64_t rows = x.shape.elements() / channels;
        const ReferenceStats stats = stats_of(x);
        const Array y = forward(x, stats, residual);
        Gradients g{Array(x.shape), Array(gamma.shape), Array(beta.shape), dy};
        if (relu) {
            for (size_t i = 0; i < y.values.size(); ++i) {
                if (y.values[i] <= 0) g.dresidual.values[i] = 0;
            }
        }
        for (int64_t c = 0; c < channels; ++c) {
            const double deviation = std::sqrt(stats.variance.values[c] + epsilon);
            const auto normalised = [&](int64_t r) {
                return (x.values[r * channels + c] - stats.mean.values[c]) / deviation;
            };
            for (int64_t r = 0; r < rows; ++r) {
                g.dgamma.values[c] += g.dresidual.values[r * channels + c] * normalised(r);
                g.dbeta.values[c] += g.dresidual.values[r * channels + c];
            }
            for (int64_t r = 0; r < rows; ++r) {
                const double centred = g.dresidual.values[r * channels + c] - g.dbeta.values[c] / rows -
                                       normalised(r) * g.dgamma.values[c] / rows;
                g.dx.values[r * channels + c] = gamma.values[c] / deviation * centred;
            }
        }
        return g;
    }
};

}  // namespace test

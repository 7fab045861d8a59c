#pragma once

#include "kernels/batch_norm_body.h"
#include "kernels/host/channel_lines.h"

namespace residual::kernels {

// The normalisation of the slice's channels, repeated along a line.
struct BatchNormLine {
    Line mean, scale, beta;

    BatchNormLine(const ChannelLines& lines, const float* means, const float* variances, const float* gammas,
                  const float* betas, float epsilon) {
        const int first = lines.first_channel;
        mean.spread(lines, [&](int c) { return means[first + c]; });
        scale.spread(lines, [&](int c) { return gammas[first + c] * reciprocal_std(variances[first + c], epsilon); });
        beta.spread(lines, [&](int c) { return betas[first + c]; });
    }
};

}  // namespace residual::kernels

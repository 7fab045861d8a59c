// Plain descriptions of operations, shared by every backend.
#pragma once

#include <cstdint>

#include "engine/core/tensor.h"

namespace residual {

// A 2-D convolution without bias. x [batch, height, width, in_channels], w [out_channels, kernel, kernel,
// in_channels], y [batch, out_height(), out_width(), out_channels]. Zero padding may differ by side.
struct Conv2dParams {
    int batch, height, width, in_channels, out_channels;
    int kernel, stride;
    int pad_top, pad_bottom, pad_left, pad_right;

    int out_height() const { return (height + pad_top + pad_bottom - kernel) / stride + 1; }
    int out_width() const { return (width + pad_left + pad_right - kernel) / stride + 1; }
    Shape input_shape() const { return {batch, height, width, in_channels}; }
    Shape weight_shape() const { return {out_channels, kernel, kernel, in_channels}; }
    Shape output_shape() const { return {batch, out_height(), out_width(), out_channels}; }

    auto operator<=>(const Conv2dParams&) const = default;
};

// Mean and biased variance of each channel, both [channels] float32.
struct BatchStats {
    Tensor mean;
    Tensor variance;
};

// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, then max(y, 0) if relu. gamma, beta: [channels] float32.
struct BatchNormParams {
    BatchStats stats;
    Tensor gamma;
    Tensor beta;
    float epsilon;
    bool relu;
};

// Statistics that batch_norm_training() keeps for its backward, [channels] float32. The device chooses between the
// variance and 1 / sqrt(variance + epsilon); the other is undefined.
struct SavedStats {
    Tensor mean;
    Tensor variance = {};
    Tensor inverse_std = {};
};

// Running statistics to update from those of a batch. If undefined, nothing is updated.
struct RunningUpdate {
    BatchStats running;
    float decay;  // share of `running` kept
};

// Outputs of batch_norm_backward() and its fused forms, all [channels] float32.
struct BatchNormGradients {
    Tensor dgamma, dbeta;
    Tensor dmean = {}, dvariance = {};  // Of the statistics used by batch_norm(). Undefined: not computed.
};

// The gradients of a tensor's mean and variance, for the backward of the operation that computed these moments.
struct MomentsGradient {
    Tensor mean;                        // The mean itself. Undefined: the moments have no gradient.
    Tensor dmean = {}, dvariance = {};  // Undefined: zeros.
};

// How a shortcut without weights halves height and width; it then pads the channels with zeros on both sides.
enum class ShortcutKind {
    kAveragePool,  // 2x2 average pool with stride 2
    kSubsample,    // every second row and column (He et al. 2015, option A)
};

// SGD with momentum on flat float32 arrays; see kernels/optimizer.h.
struct SgdParams {
    Tensor boundaries;  // [k] int64: steps at which the rate changes; undefined: constant rate
    Tensor rates;       // [k + 1] float32
    Tensor step;        // [1] int64: number of updates so far
    int64_t decayed;    // weight decay applies to the first `decayed` elements
    float momentum, weight_decay;
    bool nesterov = false;
};

}  // namespace residual

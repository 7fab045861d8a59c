// What a cuDNN operation graph computes, as a plain value: the key of the plan cache.
#pragma once

#include <compare>
#include <string>
#include <variant>

#include "engine/backend/params.h"

namespace residual::cuda {

// A convolution or one of its gradients. All tensors, including the gradient of the weights, have type `dtype`;
// products are summed in float32.
struct ConvolutionGraph {
    enum class Direction { forward, backward_data, backward_weight };

    Direction direction;
    Conv2dParams conv;
    DType dtype;

    auto operator<=>(const ConvolutionGraph&) const = default;
};

// Batch norm of x [batch, height, width, channels] of type `dtype`; statistics and parameters are float32.
//   training   y = [relu](batch_norm(x) [+ residual]) with the statistics of x, which are outputs (mean and
//              1 / sqrt(variance + epsilon)); `running` also updates running statistics.
//   backward   of training: dx, dgamma and dbeta from dy and, if `relu`, y. `residual` also writes dresidual, which is
//              dy where y > 0.
//   inference  the same y with given statistics, mean and variance.
struct BatchNormGraph {
    enum class Pass { training, backward, inference };

    Pass pass;
    int batch, height, width, channels;
    DType dtype;
    bool relu, residual, running;

    auto operator<=>(const BatchNormGraph&) const = default;
};

using GraphKey = std::variant<ConvolutionGraph, BatchNormGraph>;

// "convolution forward, x [128, 32, 32, 16], w [16, 3, 3, 16], stride 1, padding 1 1 1 1, bfloat16" (padding: top,
// bottom, left, right).
std::string to_string(const GraphKey& key);

}  // namespace residual::cuda

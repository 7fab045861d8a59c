#include "tools/bench/kernel_bench/layers.h"

#include <fmt/format.h>

#include "engine/data/cifar10.h"
#include "models/registry.h"

namespace residual::bench {

const Layers& network_layers() {
    constexpr Residual kNone = Residual::kNone, kX = Residual::kIdentity, kPool = Residual::kAveragePool;
    constexpr Layer kStem{3, 32, 32, 16, 1}, kNarrow2{16, 32, 32, 32, 2}, kNarrow3{32, 16, 16, 64, 2};
    constexpr Layer kStage1{16, 32, 32, 16, 1}, kStage2{32, 16, 16, 32, 1}, kStage3{64, 8, 8, 64, 1};
    static const Layers layers{
        .image = {{3, 32, 32, 3, 1}},
        .stages = {kStage1, kStage2, kStage3},
        .narrowing = {kNarrow2, kNarrow3},
        .stem = {kStem},
        .head = {{64, 8, 8, 10, 1}},
        .linear = {{64, 1, 1, 10, 1}},
        .vectors = {{16, 0, 0, 16, 1}, {32, 0, 0, 32, 1}, {64, 0, 0, 64, 1}},
        .convolutions = {kStem, kStage1, kNarrow2, kStage2, kNarrow3, kStage3},
        .inner_convolutions = {kStage1, kNarrow2, kStage2, kNarrow3, kStage3},
        .bn_relu_convs = {kStage1,
                          {16, 32, 32, 16, 1, kX},
                          kNarrow2,
                          {32, 16, 16, 32, 1, kPool},
                          kStage2,
                          {32, 16, 16, 32, 1, kX},
                          kNarrow3,
                          {64, 8, 8, 64, 1, kPool},
                          kStage3,
                          {64, 8, 8, 64, 1, kX}},
        .networks = {{0, 0, 0, 0, 1, kNone, 20}, {0, 0, 0, 0, 1, kNone, 56}, {0, 0, 0, 0, 1, kNone, 110}},
    };
    return layers;
}

std::string Layer::text() const {
    if (depth > 0) return fmt::format("ResNet-{}", depth);
    if (!batched()) return std::to_string(channels);
    if (height == 1) return fmt::format("{}>{}", channels, out_channels);
    std::string text = fmt::format("{}x{}x{}", channels, height, width);
    if (stride > 1) text += fmt::format("/{}", stride);
    if (residual == Residual::kIdentity) text += "+x";
    if (residual == Residual::kAveragePool) text += "+pool";
    return text;
}

ParameterCount parameter_count(int depth) {
    nn::Parameters parameters;
    const auto model = models::make_model(parameters, models::ResNetConfig{.depth = depth}, cifar10_description());
    ParameterCount count{0, 0};
    for (const auto& parameter : parameters.parameters()) {
        count.all += parameter->shape.elements();
        if (parameter->role != nn::Role::kVector) count.decayed += parameter->shape.elements();
    }
    return count;
}

}  // namespace residual::bench

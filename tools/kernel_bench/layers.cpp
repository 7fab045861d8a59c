#include "tools/kernel_bench/layers.h"

#include <fmt/format.h>

#include "engine/data/cifar10.h"
#include "models/registry.h"

namespace bench {

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
    engine::nn::Parameters parameters;
    const auto model =
        models::make_model(parameters, models::ResNetConfig{.depth = depth}, engine::cifar10_description());
    ParameterCount count{0, 0};
    for (const auto& parameter : parameters.parameters()) {
        count.all += parameter->shape.elements();
        if (parameter->role != engine::nn::Role::kVector) count.decayed += parameter->shape.elements();
    }
    return count;
}

}  // namespace bench

#include "tools/bench/kernel_bench/layers.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/data/cifar10.h"
#include "engine/nn/trace.h"
#include "models/registry.h"

namespace residual::bench {

namespace {

void add_once(std::vector<Layer>& layers, const Layer& layer) {
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
}

// A layer that reads an image [batch, height, width, channels] and has `out` output channels.
Layer layer_of(const Shape& image, int64_t out) {
    const auto at = [&](int axis) { return static_cast<int>(image[axis]); };
    return {at(3), at(1), at(2), static_cast<int>(out), 1};
}

Residual residual_of(const Trace& trace, const Trace::Operation& conv) {
    const Trace::Operand* residual = conv.input("residual");
    if (residual == nullptr) return Residual::kNone;
    const auto& all = trace.operations();
    const bool pooled = std::any_of(all.begin(), all.end(), [&](const Trace::Operation& operation) {
        return operation.name == "shortcut" && operation.output("y")->value == residual->value;
    });
    return pooled ? Residual::kAveragePool : Residual::kIdentity;
}

void add_convolution(const Trace& trace, const Trace::Operation& conv, Layers& layers) {
    const Shape& y = trace.value(*conv.output("y")).shape;
    Layer layer = layer_of(trace.value(*conv.input("x")).shape, y[3]);
    layer.stride = static_cast<int>(conv.attribute<int64_t>("stride"));
    add_once(layers.convolutions, layer);
    if (layer.stride > 1) add_once(layers.narrowing, layer);
    const Layer stage = layer_of(y, y[3]);
    add_once(layers.stages, stage);
    add_once(layers.vectors, {stage.channels, 0, 0, stage.channels, 1});
    if (conv.input("gamma") == nullptr) {
        add_once(layers.image, layer_of(trace.value(*conv.input("x")).shape, layer.channels));
        add_once(layers.stem, layer);
        return;
    }
    add_once(layers.inner_convolutions, layer);
    layer.residual = residual_of(trace, conv);
    add_once(layers.bn_relu_convs, layer);
}

Trace trace_of_resnet20() {
    const auto backend = make_cpu_backend();
    const DataDescription& data = cifar10_description();
    nn::Parameters parameters;
    const auto model = models::make_model(parameters, models::ResNetConfig{.depth = 20}, data);
    parameters.allocate(*backend, DType::kFloat32, 0);
    const auto image = backend->zeros({1, data.height, data.width, data.channels}, DType::kFloat32);
    return nn::trace_forward(*backend, *model, parameters, image, true);
}

Layers layers_of(const Trace& trace) {
    Layers layers;
    for (const Trace::Operation& operation : trace.operations()) {
        if (operation.name == "conv") add_convolution(trace, operation, layers);
        if (operation.name == "global_average_pool") {
            layers.head.push_back(layer_of(trace.value(*operation.input("x")).shape, 0));
        }
        if (operation.name == "linear") {
            const Shape& weight = trace.value(*operation.input("weight")).shape;
            const auto classes = static_cast<int>(weight[0]), features = static_cast<int>(weight[1]);
            layers.linear.push_back({features, 1, 1, classes, 1});
            layers.head.back().out_channels = classes;
        }
    }
    for (const int depth : {20, 56, 110}) layers.networks.push_back({0, 0, 0, 0, 1, Residual::kNone, depth});
    return layers;
}

}  // namespace

const Layers& network_layers() {
    static const Layers layers = layers_of(trace_of_resnet20());
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

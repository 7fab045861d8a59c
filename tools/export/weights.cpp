#include "tools/export/weights.h"

#include <cmath>
#include <set>
#include <string>

namespace residual::tools {

namespace {

using Operation = Trace::Operation;

// For each value the operations that read it; a null pointer for the reader of the output of the network.
std::map<size_t, std::vector<const Operation*>> readers_of(const Graph& graph) {
    std::map<size_t, std::vector<const Operation*>> readers;
    for (const Operation& operation : graph.operations) {
        for (const auto& input : operation.inputs) readers[input.value].push_back(&operation);
    }
    readers[graph.output].push_back(nullptr);
    return readers;
}

// The weight and bias of `conv` with `batch_norm` folded in are new values, because other layers may share the weight.
void fold(Graph& graph, Weights& weights, Operation& conv, const Operation& batch_norm) {
    const auto of = [&](const char* role) -> const std::vector<float>& {
        return weights.at(batch_norm.input(role)->value);
    };
    const auto &gamma = of("gamma"), &beta = of("beta"), &mean = of("mean"), &variance = of("variance");
    const double epsilon = batch_norm.attribute<double>("epsilon");
    const size_t old_weight = conv.input("weight")->value;
    const Shape shape = graph.values[old_weight].shape;
    std::vector<float> weight = weights.at(old_weight), bias(gamma.size());
    const size_t per_channel = weight.size() / bias.size();
    for (size_t channel = 0; channel < bias.size(); ++channel) {
        const double scale = gamma[channel] / std::sqrt(variance[channel] + epsilon);
        bias[channel] = static_cast<float>(beta[channel] - mean[channel] * scale);
        for (size_t i = channel * per_channel; i < (channel + 1) * per_channel; ++i) {
            weight[i] = static_cast<float>(weight[i] * scale);
        }
    }
    const std::string name = graph.values[old_weight].name;
    const size_t folded = graph.add_value(shape, name);
    const size_t added = graph.add_value(Shape{static_cast<int64_t>(bias.size())}, parent_of(name) + ".bias");
    weights[folded] = std::move(weight);
    weights[added] = std::move(bias);
    for (auto& input : conv.inputs) {
        if (input.role == "weight") input.value = folded;
    }
    conv.inputs.push_back({"bias", added});
    conv.outputs.front().value = batch_norm.output("y")->value;
}

}  // namespace

Weights weights_of(const Graph& graph, Backend& backend, const nn::Parameters& parameters) {
    std::map<std::string, Tensor> tensors;
    for (const auto& parameter : parameters.parameters()) tensors[parameter->name] = parameter->weight;
    for (const auto& buffer : parameters.buffers()) tensors[buffer->name] = buffer->value;
    Weights weights;
    for (size_t i = 0; i < graph.values.size(); ++i) {
        const std::string& name = graph.values[i].name;
        if (name.empty()) continue;
        const Tensor& tensor = tensors.at(name);
        std::vector<float> values(static_cast<size_t>(tensor.shape().elements()));
        backend.download(tensor, values.data());
        weights[i] = std::move(values);
    }
    return weights;
}

void fold_batch_norms(Graph& graph, Weights& weights) {
    const auto readers = readers_of(graph);
    std::set<const Operation*> folded;
    for (Operation& operation : graph.operations) {
        if (operation.name != "conv") continue;
        const auto found = readers.find(operation.output("y")->value);
        if (found == readers.end() || found->second.size() != 1) continue;
        const Operation* reader = found->second.front();
        if (reader == nullptr || reader->name != "batch_norm") continue;
        fold(graph, weights, operation, *reader);
        folded.insert(reader);
    }
    std::vector<Operation> left;
    for (Operation& operation : graph.operations) {
        if (!folded.contains(&operation)) left.push_back(std::move(operation));
    }
    graph.operations = std::move(left);
}

}  // namespace residual::tools

#include "tools/cudnn_plans/graph_list.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/core/error.h"

namespace residual::tools {
namespace {

using Json = nlohmann::ordered_json;
using cuda::BatchNormGraph;
using cuda::ConvolutionGraph;

// In the order of ConvolutionGraph::Direction and BatchNormGraph::Pass.
constexpr std::array<std::string_view, 3> kDirections = {"forward", "backward data", "backward weight"};
constexpr std::array<std::string_view, 3> kPasses = {"training", "backward", "inference"};

template <class Enum>
Enum enum_of(const std::array<std::string_view, 3>& names, const std::string& name) {
    for (size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    throw InputError("unknown operation \"" + name + "\" in the list of graphs");
}

DType dtype_of(const std::string& name) {
    if (name == name_of(DType::kFloat32)) return DType::kFloat32;
    if (name == name_of(DType::kBFloat16)) return DType::kBFloat16;
    throw InputError("unknown type \"" + name + "\" in the list of graphs");
}

Json json_of(const ConvolutionGraph& graph) {
    const Conv2dParams& p = graph.conv;
    return {{"convolution", kDirections[static_cast<size_t>(graph.direction)]},
            {"x", {p.batch, p.height, p.width, p.in_channels}},
            {"w", {p.out_channels, p.kernel, p.kernel, p.in_channels}},
            {"stride", p.stride},
            {"padding", {p.pad_top, p.pad_bottom, p.pad_left, p.pad_right}},
            {"type", name_of(graph.dtype)}};
}

Json json_of(const BatchNormGraph& graph) {
    return {{"batch_norm", kPasses[static_cast<size_t>(graph.pass)]},
            {"x", {graph.batch, graph.height, graph.width, graph.channels}},
            {"relu", graph.relu},
            {"residual", graph.residual},
            {"running", graph.running},
            {"type", name_of(graph.dtype)}};
}

cuda::GraphKey key_of(const Json& json) {
    const auto extents = [&](const char* name) { return json.at(name).get<std::array<int, 4>>(); };
    const auto x = extents("x");
    const DType dtype = dtype_of(json.at("type").get<std::string>());
    if (json.contains("batch_norm")) {
        return BatchNormGraph{.pass = enum_of<BatchNormGraph::Pass>(kPasses, json["batch_norm"].get<std::string>()),
                              .batch = x[0],
                              .height = x[1],
                              .width = x[2],
                              .channels = x[3],
                              .dtype = dtype,
                              .relu = json.at("relu").get<bool>(),
                              .residual = json.at("residual").get<bool>(),
                              .running = json.at("running").get<bool>()};
    }
    const auto w = extents("w"), padding = extents("padding");
    return ConvolutionGraph{
        enum_of<ConvolutionGraph::Direction>(kDirections, json.at("convolution").get<std::string>()),
        {.batch = x[0],
         .height = x[1],
         .width = x[2],
         .in_channels = x[3],
         .out_channels = w[0],
         .kernel = w[1],
         .stride = json.at("stride").get<int>(),
         .pad_top = padding[0],
         .pad_bottom = padding[1],
         .pad_left = padding[2],
         .pad_right = padding[3]},
        dtype};
}

}  // namespace

std::string graphs_to_json(const std::vector<ListedGraph>& graphs) {
    std::string text;
    for (const ListedGraph& graph : graphs) {
        Json json = std::visit([](const auto& key) { return json_of(key); }, graph.key);
        json["tf32"] = graph.allow_tf32;
        text += (text.empty() ? "[\n" : ",\n") + json.dump();
    }
    return text + "\n]\n";
}

std::vector<ListedGraph> graphs_from_json(const std::string& text) {
    std::vector<ListedGraph> graphs;
    try {
        for (const Json& json : Json::parse(text)) graphs.push_back({key_of(json), json.at("tf32").get<bool>()});
    } catch (const nlohmann::json::exception& error) {
        throw InputError(std::string("the list of graphs cannot be read: ") + error.what());
    }
    return graphs;
}

cuda::GraphKey with_batch(const cuda::GraphKey& key, int batch) {
    cuda::GraphKey changed = key;
    if (auto* convolution = std::get_if<ConvolutionGraph>(&changed)) convolution->conv.batch = batch;
    if (auto* norm = std::get_if<BatchNormGraph>(&changed)) norm->batch = batch;
    return changed;
}

}  // namespace residual::tools

#include "tools/diagram/node_label.h"

#include <fmt/format.h>

#include <map>

namespace residual::tools {

namespace {

using Operation = Trace::Operation;

std::string describe_conv(const Graph& graph, const Operation& operation) {
    const auto at = [&](const char* name) { return operation.attribute<int64_t>(name); };
    const Shape& weight = graph.value(*operation.input("weight")).shape;
    std::string text = fmt::format("{0}×{0} convolution, {1} → {2}", at("kernel"), weight[3], weight[0]);
    if (at("stride") != 1) text += fmt::format(", stride {}", at("stride"));
    if (at("pad_top") != at("pad_bottom") || at("pad_left") != at("pad_right")) {
        text += fmt::format("\npadding: top {}, bottom {}, left {}, right {}", at("pad_top"), at("pad_bottom"),
                            at("pad_left"), at("pad_right"));
    }
    return text;
}

std::string describe(const Graph& graph, const Operation& operation) {
    static const std::map<std::string, std::string> texts{{"batch_norm", "batch norm"},
                                                          {"relu", "ReLU"},
                                                          {"add", "+"},
                                                          {"average_pool", "2×2 average pooling"},
                                                          {"subsample", "every second row and column"},
                                                          {"global_average_pool", "global average pooling"}};
    if (const auto text = texts.find(operation.name); text != texts.end()) return text->second;
    if (operation.name == "conv") return describe_conv(graph, operation);
    if (operation.name == "linear") {
        const Shape& weight = graph.value(*operation.input("weight")).shape;
        return fmt::format("linear, {} → {}", weight[1], weight[0]);
    }
    if (operation.name == "zero_channels") {
        return fmt::format("zero channels: {} before, {} after", operation.attribute<int64_t>("before"),
                           operation.attribute<int64_t>("after"));
    }
    return operation.name;
}

}  // namespace

std::string node_label(const Graph& graph, const Operation& operation) {
    const std::string layer = layer_of(graph, operation);
    const std::string text = describe(graph, operation);
    return layer.empty() ? text : layer.substr(layer.rfind('.') + 1) + ": " + text;
}

std::string node_colour(const Operation& operation) {
    static const std::map<std::string, std::string> colours{
        {"conv", "lightskyblue"},       {"linear", "lightskyblue"},      {"batch_norm", "darkseagreen1"},
        {"relu", "lemonchiffon"},       {"average_pool", "mistyrose"},   {"subsample", "mistyrose"},
        {"zero_channels", "mistyrose"}, {"global_average_pool", "white"}};
    const auto colour = colours.find(operation.name);
    return colour == colours.end() ? "white" : colour->second;
}

}  // namespace residual::tools

#include "engine/backend/cuda/graph_key.h"

#include <fmt/format.h>

namespace residual::cuda {

namespace {

const char* name_of(ConvolutionGraph::Direction direction) {
    switch (direction) {
        case ConvolutionGraph::Direction::forward:
            return "forward";
        case ConvolutionGraph::Direction::backward_data:
            return "backward data";
        case ConvolutionGraph::Direction::backward_weight:
            return "backward weight";
    }
    return "";
}

const char* name_of(BatchNormGraph::Pass pass) {
    switch (pass) {
        case BatchNormGraph::Pass::training:
            return "training";
        case BatchNormGraph::Pass::backward:
            return "backward";
        case BatchNormGraph::Pass::inference:
            return "inference";
    }
    return "";
}

std::string text_of(const ConvolutionGraph& graph) {
    const Conv2dParams& p = graph.conv;
    return fmt::format("convolution {}, x {}, w {}, stride {}, padding {} {} {} {}, {}", name_of(graph.direction),
                       p.input_shape().to_string(), p.weight_shape().to_string(), p.stride, p.pad_top, p.pad_bottom,
                       p.pad_left, p.pad_right, residual::name_of(graph.dtype));
}

std::string text_of(const BatchNormGraph& graph) {
    return fmt::format("batch norm {}{}{}{}, x [{}, {}, {}, {}], {}", name_of(graph.pass),
                       graph.residual ? ", residual" : "", graph.relu ? ", ReLU" : "",
                       graph.running ? ", running statistics" : "", graph.batch, graph.height, graph.width,
                       graph.channels, residual::name_of(graph.dtype));
}

}  // namespace

std::string to_string(const GraphKey& key) {
    return std::visit([](const auto& graph) { return text_of(graph); }, key);
}

}  // namespace residual::cuda

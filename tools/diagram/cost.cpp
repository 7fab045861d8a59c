#include "tools/diagram/cost.h"

#include <fmt/format.h>

#include <set>

namespace residual::tools {

namespace {

std::string flops_text(int64_t flops) {
    const double count = static_cast<double>(flops);
    if (count < 1e6) return fmt::format("{:.3g} kFLOP", count / 1e3);
    return count < 1e9 ? fmt::format("{:.3g} MFLOP", count / 1e6) : fmt::format("{:.3g} GFLOP", count / 1e9);
}

}  // namespace

std::string Cost::text(const std::string& separator) const {
    const std::string count = fmt::format("{} parameters", fmt::group_digits(parameters));
    return flops == 0 ? count : count + separator + flops_text(flops);
}

Cost cost_of(const Graph& graph, std::span<const size_t> operations) {
    Cost cost;
    std::set<size_t> counted;
    for (const size_t index : operations) {
        const Trace::Operation& operation = graph.operations[index];
        for (const char* role : {"weight", "bias", "gamma", "beta"}) {
            const Trace::Operand* input = operation.input(role);
            if (input == nullptr || !counted.insert(input->value).second) continue;
            cost.parameters += graph.value(*input).shape.elements();
        }
        if (operation.name != "conv" && operation.name != "linear") continue;
        const Shape& y = graph.value(operation.outputs.front()).shape;
        const Shape& weight = graph.value(*operation.input("weight")).shape;
        // Each element of y is a sum over one output channel's weights.
        cost.flops += 2 * (y.elements() / y[0]) * (weight.elements() / weight[0]);
    }
    return cost;
}

}  // namespace residual::tools

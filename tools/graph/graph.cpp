#include "tools/graph/graph.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/core/error.h"

namespace residual::tools {

namespace {

using Operation = Trace::Operation;
using Operand = Trace::Operand;

Operation single(std::string name, size_t x, size_t y) {
    return {std::move(name), {}, {{"x", x}}, {{"y", y}}};
}

class Splitter {
  public:
    explicit Splitter(const Trace& trace) : graph_{{}, trace.values(), trace.input(), trace.output()} {
        for (const Operation& operation : trace.operations()) split(operation);
    }
    Graph take() { return std::move(graph_); }

  private:
    void split(const Operation& operation) {
        if (operation.name == "conv") {
            split_conv(operation);
        } else if (operation.name == "batch_norm") {
            split_batch_norm(operation);
        } else if (operation.name == "shortcut") {
            split_shortcut(operation);
        } else {
            graph_.operations.push_back(operation);
        }
    }

    size_t temporary_like(size_t value) { return graph_.add_value(graph_.values[value].shape); }

    // y = [relu](batch_norm(x) [+ residual]).
    void normalise(const Operation& from, size_t x, const Operand* residual, size_t y) {
        const bool relu = from.attribute<bool>("relu");
        const size_t sum = relu ? temporary_like(x) : y;
        const size_t normalised = residual != nullptr ? temporary_like(x) : sum;
        Operation batch_norm = single("batch_norm", x, normalised);
        batch_norm.attributes.emplace("epsilon", from.attribute<double>("epsilon"));
        for (const char* role : {"gamma", "beta", "mean", "variance"}) {
            batch_norm.inputs.push_back({role, from.input(role)->value});
        }
        graph_.operations.push_back(std::move(batch_norm));
        if (residual != nullptr) add(normalised, residual->value, sum);
        if (relu) graph_.operations.push_back(single("relu", sum, y));
    }

    void add(size_t a, size_t b, size_t y) {
        graph_.operations.push_back({"add", {}, {{"a", a}, {"b", b}}, {{"y", y}}});
    }

    void split_batch_norm(const Operation& operation) {
        normalise(operation, operation.input("x")->value, operation.input("residual"), operation.output("y")->value);
    }

    void split_conv(const Operation& operation) {
        RESIDUAL_ASSERT(!operation.attribute<bool>("fused"));
        size_t x = operation.input("x")->value;
        if (operation.input("gamma") != nullptr) {
            const Operand* p = operation.output("p");
            const size_t normalised = p != nullptr ? p->value : temporary_like(x);
            normalise(operation, x, nullptr, normalised);
            x = normalised;
        }
        const size_t y = operation.output("y")->value;
        const Operand* residual = operation.input("residual");
        Operation conv = single("conv", x, residual != nullptr ? temporary_like(y) : y);
        conv.inputs.push_back(*operation.input("weight"));
        for (const char* name : {"kernel", "stride", "pad_top", "pad_bottom", "pad_left", "pad_right"}) {
            conv.attributes.emplace(name, operation.attributes.at(name));
        }
        const size_t result = conv.outputs.front().value;
        graph_.operations.push_back(std::move(conv));
        if (residual != nullptr) add(result, residual->value, y);
    }

    void split_shortcut(const Operation& operation) {
        const size_t x = operation.input("x")->value, y = operation.output("y")->value;
        const Shape from = graph_.values[x].shape, to = graph_.values[y].shape;
        const bool pads = from[3] != to[3];
        const size_t halved = pads ? graph_.add_value({to[0], to[1], to[2], from[3]}) : y;
        const bool pools = operation.attribute<std::string>("kind") == "avgpool_zeropad";
        graph_.operations.push_back(single(pools ? "average_pool" : "subsample", x, halved));
        if (!pads) return;
        Operation zeros = single("zero_channels", halved, y);
        const int64_t before = (to[3] - from[3]) / 2;
        zeros.attributes = {{"before", before}, {"after", to[3] - from[3] - before}};
        graph_.operations.push_back(std::move(zeros));
    }

    Graph graph_;
};

}  // namespace

size_t Graph::add_value(const Shape& shape, const std::string& name) {
    values.push_back({shape, DType::kFloat32, name});
    return values.size() - 1;
}

Graph primitive_graph(const Trace& trace) {
    return Splitter(trace).take();
}

std::string parent_of(const std::string& name) {
    const size_t stop = name.rfind('.');
    return stop == std::string::npos ? "" : name.substr(0, stop);
}

std::string layer_of(const Graph& graph, const Operation& operation) {
    for (const Operand& input : operation.inputs) {
        if (const std::string& name = graph.value(input).name; !name.empty()) return parent_of(name);
    }
    return "";
}

std::vector<std::string> units_of(const Graph& graph) {
    const auto& operations = graph.operations;
    std::vector<std::string> units(operations.size());
    std::vector<bool> has_layer(operations.size());
    std::map<size_t, size_t> makers;                // value -> operation
    std::map<size_t, std::vector<size_t>> readers;  // value -> operations
    std::map<std::string, size_t> first_layer;      // unit -> operation
    for (size_t i = 0; i < operations.size(); ++i) {
        const std::string layer = layer_of(graph, operations[i]);
        has_layer[i] = !layer.empty();
        size_t latest = 0;
        for (const Operand& input : operations[i].inputs) {
            readers[input.value].push_back(i);
            if (const auto maker = makers.find(input.value); maker != makers.end() && maker->second >= latest) {
                latest = maker->second;
                units[i] = units[latest];
            }
        }
        if (has_layer[i]) {
            units[i] = parent_of(layer);
            first_layer.try_emplace(units[i], i);
        }
        for (const Operand& output : operations[i].outputs) makers[output.value] = i;
    }
    // Backwards, so that each of several operations in a row sees where the next one belongs.
    for (size_t i = operations.size(); i-- > 0;) {
        if (has_layer[i]) continue;
        std::vector<size_t> next;
        for (const Operand& output : operations[i].outputs) {
            next.insert(next.end(), readers[output.value].begin(), readers[output.value].end());
        }
        if (next.empty()) continue;
        const std::string unit = units[next.front()];
        if (operations[i].name == "global_average_pool") units[i] = unit;
        if (unit.empty()) continue;
        const bool common = std::all_of(next.begin(), next.end(), [&](size_t reader) { return units[reader] == unit; });
        const auto layer = first_layer.find(unit);
        if (common && layer != first_layer.end() && layer->second < i) units[i] = unit;
    }
    return units;
}

}  // namespace residual::tools

// A network in evaluation as a graph of primitive operations.
#pragma once

#include <string>
#include <vector>

#include "engine/autograd/trace.h"

namespace residual::tools {

// The operations of a trace in execution order, with those that do several things split up. An operation is a
// Trace::Operation; its name, operands and attributes are:
//
//     conv                 x, weight [out, kernel, kernel, in] -> y; kernel, stride, pad_{top,bottom,left,right}
//     batch_norm           x, gamma, beta, mean, variance -> y; epsilon
//     relu                 x -> y
//     add                  a, b -> y
//     average_pool         x -> y; 2x2 pixels, stride 2, drops an odd last row and column
//     subsample            x -> y; every second pixel, starting with the first
//     zero_channels        x -> y; before, after: how many channels of zeros are added
//     global_average_pool  x -> y
//     linear               x, weight [out, in], bias -> y
//
// Any other operation is as in the trace. Values keep their shapes, NHWC; the batch is that of the trace.
struct Graph {
    std::vector<Trace::Operation> operations;
    std::vector<Trace::Value> values;
    size_t input, output;  // Indices in `values`.

    const Trace::Value& value(const Trace::Operand& operand) const { return values[operand.value]; }
    size_t add_value(const Shape& shape, const std::string& name = "");
};

// `trace` is that of nn::trace_forward() in evaluation, on a device without fused operations.
Graph primitive_graph(const Trace& trace);

// The layer of an operation, from the name of its first parameter: "stages.0.0.conv1" for "stages.0.0.conv1.weight".
// Empty if the operation has no parameter.
std::string layer_of(const Graph& graph, const Trace::Operation& operation);

// For each operation the residual unit that it belongs to, such as "stages.0.0"; empty if it is in none.
//
// A layer is in the unit that its name starts with. An operation without parameters is in the unit of the operation
// that its latest input comes from; but if only operations of another unit read its result, and a layer of that unit
// has run before, it is in that unit (the pooling of a shortcut). Global pooling is in the unit that reads its result.
std::vector<std::string> units_of(const Graph& graph);

// "stages.0" for "stages.0.0"; empty for a name without a full stop.
std::string parent_of(const std::string& name);

}  // namespace residual::tools

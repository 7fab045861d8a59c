// A network as a graph in the DOT language of Graphviz.
#pragma once

#include <string>

#include "tools/graph/graph.h"

namespace residual::tools {

// One node per operation, inside a box for its residual unit with parameters and FLOPs; one edge per operand, labelled
// with its shape without the batch, [height, width, channels]. `title` is the first line. With `fold_units`, units in a
// row that are equal (repeated_units.h) are drawn once. The same arguments give the same text.
std::string diagram(const Graph& graph, const std::string& title, bool fold_units);

}  // namespace residual::tools

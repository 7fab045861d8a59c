// What the node of an operation shows.
#pragma once

#include <string>

#include "tools/graph/graph.h"

namespace residual::tools {

// The layer's name and what the operation does, in words: "conv1: 3x3 convolution, 16 to 32, stride 2". An operation
// that is not a primitive of tools/graph/graph.h is shown by its name.
std::string node_label(const Graph& graph, const Trace::Operation& operation);

// The fill, in the SVG colour scheme of Graphviz; light enough for black text.
std::string node_colour(const Trace::Operation& operation);

}  // namespace residual::tools

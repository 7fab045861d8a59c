// The values of a graph's parameters and running statistics, and folding batch norms into them.
#pragma once

#include <map>
#include <vector>

#include "engine/nn/parameters.h"
#include "tools/graph/graph.h"

namespace residual::tools {

// By the index of the value in the graph; in the order of its shape, so that convolution weights are
// [out, kernel, kernel, in].
using Weights = std::map<size_t, std::vector<float>>;

// Those of all named values of `graph`. `parameters` are those of the traced network.
Weights weights_of(const Graph& graph, Backend& backend, const nn::Parameters& parameters);

// Merges each batch norm that directly follows a convolution into it: weight * gamma / sqrt(variance + epsilon), and an
// operand "bias" [out] = beta - mean * gamma / sqrt(variance + epsilon). A batch norm stays if anything else reads the
// result of the convolution, or if that is the output of the network.
void fold_batch_norms(Graph& graph, Weights& weights);

}  // namespace residual::tools

// The list of operation graphs that training and evaluation ask cuDNN for, as a JSON file.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "engine/backend/cuda/graph_key.h"

namespace residual::tools {

struct ListedGraph {
    cuda::GraphKey key;
    bool allow_tf32;  // CudaOptions::allow_tf32 of the step that asked for it.

    auto operator<=>(const ListedGraph&) const = default;
};

// A JSON array with one graph a line.
std::string graphs_to_json(const std::vector<ListedGraph>& graphs);
// Throws InputError for text that graphs_to_json() does not write.
std::vector<ListedGraph> graphs_from_json(const std::string& text);

// The same graph for another batch size.
cuda::GraphKey with_batch(const cuda::GraphKey& key, int batch);

}  // namespace residual::tools

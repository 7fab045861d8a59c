// Residual units that repeat one another.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/graph/graph.h"

namespace residual::tools {

// Units in a row that have the same operations and shapes, each reading only the results of the one before it.
struct RepeatedUnits {
    // For each operation the one that represents it: that of the first unit in its row; itself elsewhere.
    std::vector<size_t> representative;
    // The units of each row with more than one, by the first.
    std::map<std::string, std::vector<std::string>> rows;
};

// `units` are units_of(graph).
RepeatedUnits find_repeated_units(const Graph& graph, const std::vector<std::string>& units);

}  // namespace residual::tools

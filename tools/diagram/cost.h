// What the operations of a network cost.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tools/graph/graph.h"

namespace residual::tools {

struct Cost {
    int64_t parameters = 0;  // Running statistics are not parameters.
    int64_t flops = 0;       // For one image; see cost_of().

    // "4,672 parameters, 9.44 MFLOP", with another separator if it is given; without FLOPs if there are none.
    std::string text(const std::string& separator = ", ") const;
};

// The sum over the operations with these indices. A parameter that several of them share counts once. FLOPs are those
// of convolutions and linear layers, two for a multiply-add, those on padding included.
Cost cost_of(const Graph& graph, std::span<const size_t> operations);

}  // namespace residual::tools

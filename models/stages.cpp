#include "models/stages.h"

#include <fmt/format.h>

namespace residual::models {

std::vector<UnitSpec> unit_specs(int stem_channels, const std::array<int, 3>& stage_channels, std::int64_t units) {
    std::vector<UnitSpec> specs;
    int channels = stem_channels;
    for (int stage = 0; stage < 3; ++stage) {
        for (int unit = 0; unit < units; ++unit) {
            specs.push_back({.name = "stages." + std::to_string(stage) + "." + std::to_string(unit),
                             .in_channels = channels,
                             .out_channels = stage_channels[stage],
                             .stride = stage > 0 && unit == 0 ? 2 : 1});
            channels = stage_channels[stage];
        }
    }
    return specs;
}

void check_depth(Fields& fields, std::int64_t depth, std::int64_t other_layers) {
    const std::int64_t excess = (depth - other_layers) % 6;
    const std::int64_t below = depth - excess;
    fields.check("depth", excess == 0,
                 fmt::format("depth {} is not 6n + {}; the nearest valid depths are {} and {}", depth, other_layers,
                             below, below + 6));
}

}  // namespace residual::models

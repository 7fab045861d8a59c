#include "models/stages.h"

namespace residual::models {

std::vector<UnitPlace> places_of_units(int stem_channels, const std::array<int, 3>& stage_channels,
                                       std::int64_t units) {
    std::vector<UnitPlace> places;
    int channels = stem_channels;
    for (int stage = 0; stage < 3; ++stage) {
        for (int unit = 0; unit < units; ++unit) {
            places.push_back({.name = "stages." + std::to_string(stage) + "." + std::to_string(unit),
                              .in_channels = channels,
                              .out_channels = stage_channels[stage],
                              .stride = stage > 0 && unit == 0 ? 2 : 1});
            channels = stage_channels[stage];
        }
    }
    return places;
}

std::string refused_depth(std::int64_t depth, std::int64_t rest) {
    const std::int64_t below = depth - (depth - rest) % 6;
    return "depth " + std::to_string(depth) + " is not 6n + " + std::to_string(rest) +
           "; the nearest valid depths are " + std::to_string(below) + " and " + std::to_string(below + 6);
}

}  // namespace residual::models

// Three stages of residual units, the frame that residual networks for CIFAR-10 share.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/residual_unit.h"

namespace residual::models {

// `units` units in each stage, named "stages.{stage}.{unit}". The first unit of the second and of the third stage
// halves the image; the first of each stage has the channels of the stage before, or of the stem, for its input.
std::vector<UnitPlace> places_of_units(int stem_channels, const std::array<int, 3>& stage_channels, std::int64_t units);

// Depth = 6n + rest: two convolutions a unit, n units a stage, `rest` layers outside of them.
inline bool is_depth(std::int64_t depth, std::int64_t rest) {
    return (depth - rest) % 6 == 0;
}
// What is said of a depth that is none: with the nearest ones that are.
std::string refused_depth(std::int64_t depth, std::int64_t rest);

}  // namespace residual::models

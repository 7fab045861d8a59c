// The three stages of residual units that all families share.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/residual_unit.h"

namespace residual::models {

// `units` units per stage, named "stages.{stage}.{unit}". The first unit of the second and third stages halves
// height and width.
std::vector<UnitSpec> unit_specs(int stem_channels, const std::array<int, 3>& stage_channels, std::int64_t units);

// Checks that depth = 6n + other_layers: three stages of n units, each unit with two convolutions, plus
// `other_layers` outside of the units.
void check_depth(Fields& fields, std::int64_t depth, std::int64_t other_layers);

}  // namespace residual::models

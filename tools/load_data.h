// The data set that a configuration names, with the remedy where it cannot be read.
#pragma once

#include "tools/run/training.h"

namespace tools {

// Throws engine::DataError that says where to get the data, or how to name its folder.
Pictures load_data(const engine::DataConfig& config);

}  // namespace tools

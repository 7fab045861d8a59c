// The data set that a configuration names, with the remedy where it cannot be read.
#pragma once

#include "tools/run/training.h"

namespace residual::tools {

// Throws DataError that says where to get the data, or how to name its folder.
Images load_data(const DataConfig& config);

}  // namespace residual::tools

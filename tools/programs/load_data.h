// Loads the data set that a configuration names.
#pragma once

#include "tools/run/training.h"

namespace residual::tools {

// Throws DataError that explains where to get the data, or how to name its folder.
Images load_data(const DataConfig& config);

}  // namespace residual::tools

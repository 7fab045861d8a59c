// Loads the data set that a configuration names.
#pragma once

#include "tools/run/training.h"

namespace residual::tools {

enum class TrainingImages { required, optional };

// Throws DataError that explains where to get the data, or how to name its folder. If the training images are optional
// and the folder has none of their files, `train` is empty.
Images load_data(const DataConfig& config, TrainingImages wanted = TrainingImages::required);

}  // namespace residual::tools

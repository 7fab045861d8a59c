// Compatibility of a checkpoint with a configuration and a data set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/io/checkpoint.h"
#include "tools/run/experiment.h"

namespace residual::tools {

// The configuration that a checkpoint was trained with. Throws InputError if it is missing or cannot be read.
Experiment experiment_of(const Checkpoint& checkpoint);

// Each of these throws an InputError that names the checkpoint and both values.

// If the network or data.format differs. Tensor names do not tell: a ResNet and its Plain twin have the same.
void refuse_other_model(const Checkpoint& checkpoint, const Experiment& wanted);
// If the network, or a key that is fixed in a run, differs (see engine/config/fields.h).
void refuse_other_run(const Checkpoint& checkpoint, const Experiment& wanted);
// If the classes or the fingerprint of the training records in `folder` differ; an empty fingerprint is not compared.
void refuse_other_data(const Checkpoint& checkpoint, const DataDescription& data, std::optional<uint32_t> fingerprint,
                       const std::string& folder);

}  // namespace residual::tools

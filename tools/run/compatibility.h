// Whether a checkpoint belongs to what is asked for.
#pragma once

#include <cstdint>
#include <string>

#include "engine/io/checkpoint.h"
#include "tools/run/experiment.h"

namespace residual::tools {

// The configuration that a checkpoint was trained with. Throws InputError where it has none that can be read.
Experiment experiment_of(const Checkpoint& checkpoint);

// Each throws InputError that names the checkpoint and both values.

// For another network (the same names of tensors may stand for another model, a ResNet for its Plain twin), or for
// another data set.
void refuse_other_model(const Checkpoint& checkpoint, const Experiment& wanted);
// For another network, or another value of a key that is fixed in a run (see engine/config/fields.h).
void refuse_other_run(const Checkpoint& checkpoint, const Experiment& wanted);
// For another data set: other classes than `data` has, or training records with another fingerprint, in `folder`.
void refuse_other_data(const Checkpoint& checkpoint, const DataDescription& data, uint32_t fingerprint,
                       const std::string& folder);

}  // namespace residual::tools

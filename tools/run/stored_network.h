// The network in a checkpoint.
#pragma once

#include <span>
#include <string>

#include "engine/io/checkpoint.h"
#include "tools/run/experiment.h"

namespace residual::tools {

// `path`: a checkpoint, or a run folder, of which it reads last.safetensors, else the newest numbered checkpoint, else
// best.safetensors. Throws InputError.
Checkpoint open_checkpoint(const std::string& path);

// What evaluating a checkpoint needs: its network, data format and batch size, all else from the defaults and
// `overrides`. A configuration file, if not empty, is used instead; it must have the same network and data format as
// the checkpoint, unless that contains no configuration. Throws InputError.
Experiment experiment_for(const Checkpoint& checkpoint, const std::string& config,
                          std::span<const std::string> overrides);

}  // namespace residual::tools

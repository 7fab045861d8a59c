// The network in a checkpoint.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/data/description.h"
#include "engine/io/checkpoint.h"
#include "tools/run/experiment.h"

namespace residual::tools {

// `path` itself, unless it is a run folder: then its last.safetensors, else its newest numbered checkpoint, else its
// best.safetensors. Throws InputError if a folder holds none.
std::filesystem::path checkpoint_in(const std::filesystem::path& path);

// Reads checkpoint_in(path). Throws InputError.
Checkpoint open_checkpoint(const std::string& path);

// What evaluating a checkpoint needs: its network, data format and batch size, all else from the defaults and
// `overrides`. A configuration file, if not empty, is used instead; it must have the same network and data format as
// the checkpoint, unless that contains no configuration. Throws InputError.
Experiment experiment_for(const Checkpoint& checkpoint, const std::string& config,
                          std::span<const std::string> overrides = {});

// The per-pixel mean of the training images, [height, width, channels], which the input of the network needs. Throws
// InputError if the file has none.
std::vector<float> mean_of(const Checkpoint& checkpoint, const DataDescription& data);

}  // namespace residual::tools

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

// The checkpoints in a run folder that a program reads, best choice first: last.safetensors, the numbered ones from the
// newest, best.safetensors. They are not opened. Throws InputError if the folder cannot be read.
std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& folder);

// `path` itself, unless it is a run folder: then the first of checkpoints_in(). Throws InputError if a folder holds
// none.
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

// Finding the checkpoint from which to resume a run.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/io/checkpoint.h"
#include "engine/train/run_folder.h"

namespace residual {

using Warn = std::function<void(const std::string&)>;

// The newest checkpoint that can be read; it has an info(). For each newer one that cannot be read, calls `warn` with
// the reason and the checkpoint used instead, and marks it damaged in `folder`. Empty if there are no checkpoints.
// Throws RunFolderError if none can be read, FormatVersionError for an unsupported version, Error if memory runs out.
std::optional<Checkpoint> newest_good_checkpoint(RunFolder& folder, const Warn& warn);

// Whether a run of `steps` updates is complete: all updates done and the final weights evaluated.
bool is_finished(const CheckpointInfo& info, int64_t steps);

// best.safetensors; empty if it is missing or cannot be read (then calls `warn`).
std::optional<Checkpoint> best_checkpoint(const RunFolder& folder, const Warn& warn);

}  // namespace residual

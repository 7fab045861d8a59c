// Going on with a run that ended before its time.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/io/checkpoint.h"
#include "engine/train/run_folder.h"
#include "engine/train/trainer.h"

namespace residual {

using Warn = std::function<void(const std::string&)>;

// The newest checkpoint of a run that can be read; it has an info(). `warn` is told of each newer one that cannot, with
// the reason and the one taken instead; `folder` disregards it from then on. Nothing where there are no checkpoints.
// InputError where there are, and none can be read; FormatVersionError where one is of another version; Error where
// memory does not suffice.
std::optional<Checkpoint> newest_good_checkpoint(RunFolder& folder, const Warn& warn);

// Whether nothing is left to do for a run of `steps` updates: they are done, and the weights after them evaluated.
bool is_finished(const CheckpointInfo& info, int64_t steps);

// best.safetensors; nothing where there is none that can be read (`warn` hears of one that cannot).
std::optional<Checkpoint> best_checkpoint(const RunFolder& folder, const Warn& warn);

}  // namespace residual

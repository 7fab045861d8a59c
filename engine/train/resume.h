// Finding the checkpoint from which to resume a run.
#pragma once

#include <optional>

#include "engine/io/checkpoint.h"
#include "engine/train/run_folder.h"
#include "engine/train/warn.h"

namespace residual {

// The newest checkpoint that can be read: a numbered one, best.safetensors, or a last.safetensors that is a file. It
// has an info(). For each newer one that cannot be read, calls `warn` with the reason and the checkpoint used instead,
// and marks it damaged in `folder`. Empty if there are none. Throws RunFolderError if none can be read,
// FormatVersionError for an unsupported version, InputError for a file of another program that the run would replace or
// a checkpoint of another step than its name says, Error if memory runs out.
std::optional<Checkpoint> newest_good_checkpoint(RunFolder& folder, const Warn& warn);

// Throws InputError if a folder without a checkpoint to resume from must not be started over: it has a checkpoint under
// another name, its last.safetensors points elsewhere, or its rows show that a checkpoint was written.
// `checkpoint_every` is the interval of the run in the folder: killed before its first checkpoint, it has no rows from
// step 2 * `checkpoint_every` on.
void refuse_lost_checkpoints(const RunFolder& folder, int64_t checkpoint_every);

// Whether a run of `steps` updates is complete: all updates done and the final weights evaluated.
bool is_finished(const CheckpointInfo& info, int64_t steps);

// best.safetensors; empty if it is missing or damaged (then calls `warn`). Throws FormatVersionError for an unsupported
// version, InputError for a file of another program.
std::optional<Checkpoint> best_checkpoint(const RunFolder& folder, const Warn& warn);

}  // namespace residual

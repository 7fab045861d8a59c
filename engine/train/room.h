// Room on the disk for the checkpoints of a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/train/config.h"
#include "engine/train/run_folder.h"

namespace residual {

// The checkpoints that a run still writes.
struct CheckpointsToCome {
    int64_t bytes;        // Of one.
    int64_t step, steps;  // Updates done and wanted.
    const RunConfig& config;
};

// A warning if the file system of the folder has less free space than the checkpoints need, or a file must not become
// as large as one (`ulimit -f`); otherwise empty. Counts the numbered ones that `run.keep` allows, best.safetensors and
// one unfinished file, less those that are in the folder already.
std::string too_little_room(const RunFolder& folder, const CheckpointsToCome& expected);

}  // namespace residual

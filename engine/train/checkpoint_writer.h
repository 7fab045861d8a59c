// Writes checkpoints on a background thread.
#pragma once

#include <future>
#include <optional>

#include "engine/io/snapshot.h"
#include "engine/train/metrics_file.h"
#include "engine/train/run_folder.h"

namespace residual {

// Writes one snapshot at a time. The destructor waits for a pending write and ignores its failure.
class CheckpointWriter {
  public:
    // `keep`: the number of newest checkpoints to keep; empty: all.
    CheckpointWriter(RunFolder& folder, const MetricsFile& metrics, std::optional<int64_t> keep)
        : folder_(folder), metrics_(metrics), keep_(keep) {}
    CheckpointWriter(const CheckpointWriter&) = delete;
    CheckpointWriter& operator=(const CheckpointWriter&) = delete;

    // Flushes the metrics. Writes best.safetensors if `best`. If `numbered`, writes the checkpoint of the step, makes
    // last.safetensors point to it and removes old checkpoints. Waits for the previous write and throws its Error, if
    // any.
    void write(Snapshot snapshot, bool best, bool numbered);

    // Throws the Error of a write that has failed. Does not wait.
    void check();
    // Waits for the pending write and throws its Error, if any.
    void finish();

  private:
    void write_now(const Snapshot& snapshot, bool best, bool numbered);

    RunFolder& folder_;
    const MetricsFile& metrics_;
    std::optional<int64_t> keep_;
    std::future<void> pending_;
};

}  // namespace residual

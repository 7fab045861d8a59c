// Checkpoints are written beside training.
#pragma once

#include <future>
#include <optional>

#include "engine/io/snapshot.h"
#include "engine/train/metrics_file.h"
#include "engine/train/run_folder.h"

namespace residual {

// One snapshot at a time, on a thread of its own.
class CheckpointWriter {
  public:
    // `keep`: newest checkpoints that stay; none: all.
    CheckpointWriter(RunFolder& folder, const MetricsFile& metrics, std::optional<int64_t> keep)
        : folder_(folder), metrics_(metrics), keep_(keep) {}
    // Waits for what is under way, and forgets its failure.
    ~CheckpointWriter() = default;
    CheckpointWriter(const CheckpointWriter&) = delete;
    CheckpointWriter& operator=(const CheckpointWriter&) = delete;

    // As best.safetensors, if `best`, and as the checkpoint of its step, if `numbered`; then the rows of the metrics
    // are on the disk before it, last.safetensors leads to it, and older ones make room. Waits for the snapshot before
    // this one and throws the Error that it ended with.
    void write(Snapshot snapshot, bool best, bool numbered);

    // Throws the Error of a snapshot that has failed in the meantime. Waits for nothing.
    void check();
    // Waits until all is on the disk. Throws likewise.
    void finish();

  private:
    void write_now(const Snapshot& snapshot, bool best, bool numbered);

    RunFolder& folder_;
    const MetricsFile& metrics_;
    std::optional<int64_t> keep_;
    std::future<void> under_way_;
};

}  // namespace residual

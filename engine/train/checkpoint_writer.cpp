#include "engine/train/checkpoint_writer.h"

#include <chrono>
#include <utility>

namespace residual {

void CheckpointWriter::write(Snapshot snapshot, bool best, bool numbered) {
    finish();
    pending_ = std::async(std::launch::async, [this, snapshot = std::move(snapshot), best, numbered] {
        write_now(snapshot, best, numbered);
    });
}

void CheckpointWriter::check() {
    if (pending_.valid() && pending_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) finish();
}

void CheckpointWriter::finish() {
    if (pending_.valid()) pending_.get();
}

// In this order: a run that is killed in between resumes from the previous checkpoint and repeats the missing writes.
void CheckpointWriter::write_now(const Snapshot& snapshot, bool best, bool numbered) {
    metrics_.sync();
    if (best) snapshot.write(folder_.best_path());
    if (!numbered) return;
    snapshot.write(folder_.checkpoint_path(snapshot.step()));
    folder_.finish_checkpoint(snapshot.step(), keep_);
}

}  // namespace residual

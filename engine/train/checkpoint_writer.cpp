#include "engine/train/checkpoint_writer.h"

#include <chrono>
#include <utility>

namespace residual {

void CheckpointWriter::write(Snapshot snapshot, bool best, bool numbered) {
    finish();
    under_way_ = std::async(std::launch::async, [this, snapshot = std::move(snapshot), best, numbered] {
        write_now(snapshot, best, numbered);
    });
}

void CheckpointWriter::check() {
    if (under_way_.valid() && under_way_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) finish();
}

void CheckpointWriter::finish() {
    if (under_way_.valid()) under_way_.get();
}

// In this order a run that is killed in between repeats what is missing: it goes on from the checkpoint before.
void CheckpointWriter::write_now(const Snapshot& snapshot, bool best, bool numbered) {
    if (best) snapshot.write(folder_.best_path());
    if (!numbered) return;
    metrics_.sync();
    snapshot.write(folder_.checkpoint_path(snapshot.step()));
    folder_.settle(snapshot.step(), keep_);
}

}  // namespace residual

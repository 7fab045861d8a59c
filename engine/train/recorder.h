// Records a step once and replays it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/backend/backend.h"

namespace residual {

// Runs the same step repeatedly. If the device can record work, the first steps run eagerly, which fixes addresses and
// library choices; the next one is recorded, and all later ones are replays. Otherwise, or if recording fails, every
// step runs eagerly, which is slower but has the same results.
class Recorder {
  public:
    // `step` must read everything that changes between steps from device memory. `backend` must outlive the Recorder.
    Recorder(Backend& backend, std::function<void()> step);

    void run();
    // What run() does next; on a device that cannot record always eager_step.
    enum class Next { first_step, eager_step, recording, replay };
    Next next() const;
    // Why recording failed; empty if it did not.
    const std::string& failure() const { return failure_; }
    // Runs the step without recording or replay.
    void run_eagerly();

  private:
    void record();

    Backend& backend_;
    std::function<void()> step_;
    // The step's own arena. Nothing else may be allocated there, because every replay writes to its memory even after
    // the step's tensors have been destroyed. Null if the device cannot record.
    std::shared_ptr<Arena> arena_;
    std::unique_ptr<Recording> recording_;
    std::string failure_;
    int eager_steps_ = 0;
};

}  // namespace residual

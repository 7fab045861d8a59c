// Records a step once and replays it.
#pragma once

#include <functional>
#include <memory>

#include "engine/backend/backend.h"

namespace residual {

// Runs the same step repeatedly. If the device can record work, the first steps run eagerly, which fixes addresses and
// library choices; the next one is recorded, and all later ones are replays. Otherwise every step runs eagerly.
class Recorder {
  public:
    // `step` must read everything that changes between steps from device memory. `backend` must outlive this.
    Recorder(Backend& backend, std::function<void()> step);

    void run();
    // Runs the step without recording or replay.
    void run_eagerly();

  private:
    Backend& backend_;
    std::function<void()> step_;
    // Holds only what the step allocates, since every replay writes to it again after its tensors are destroyed. Null
    // if the device cannot record.
    std::shared_ptr<Arena> arena_;
    std::unique_ptr<Recording> recording_;
    int eager_steps_ = 0;
};

}  // namespace residual

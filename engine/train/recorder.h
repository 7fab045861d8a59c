// Steps that the host only starts.
#pragma once

#include <functional>
#include <memory>

#include "engine/backend/backend.h"

namespace residual {

// Runs one and the same step again and again. Where the device can record work, the first steps run as they are, which
// settles addresses and the libraries' choices, then one is recorded, and from there on each is one replay. Elsewhere
// every step runs as it is.
class Recorder {
  public:
    // `step` reads whatever changes from step to step from memory of the device. `backend` must outlive this.
    Recorder(Backend& backend, std::function<void()> step);

    void run();
    // Runs the step as it is, always.
    void run_eagerly();

  private:
    Backend& backend_;
    std::function<void()> step_;
    // What a recorded step allocates lies apart from everything else: it is written at every replay, long after its
    // tensors are gone. Null where nothing is recorded.
    std::shared_ptr<Arena> arena_;
    std::unique_ptr<Recording> recording_;
    int eager_steps_ = 0;
};

}  // namespace residual

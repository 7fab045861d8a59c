// The time that a device takes for operations, without what the host does meanwhile.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/backend/backend.h"

namespace residual {

class Stopwatch {
  public:
    virtual ~Stopwatch() = default;
    // Starts when everything that was queued before is done.
    virtual void start() = 0;
    // Waits for what was queued since start() and returns its seconds.
    virtual double stop() = 0;
    // The cache between the device's cores and its memory: the L2 of a GPU, the last level of a CPU.
    virtual size_t cache_bytes() const = 0;
};

// For the operations of `backend`, which must outlive it.
std::unique_ptr<Stopwatch> make_stopwatch(Backend& backend);

// By CUDA events. `backend` must be the CUDA device's.
std::unique_ptr<Stopwatch> make_cuda_stopwatch(Backend& backend);

}  // namespace residual

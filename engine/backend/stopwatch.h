// Measures the device time of operations, excluding concurrent host work.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/backend/backend.h"

namespace residual {

class Stopwatch {
  public:
    virtual ~Stopwatch() = default;
    // Starts once all previously queued work has finished.
    virtual void start() = 0;
    // Waits for the work queued since start() and returns its duration in seconds.
    virtual double stop() = 0;
    // Size of the last-level cache (on a GPU, L2).
    virtual size_t cache_bytes() const = 0;
};

// Times operations of `backend`, which must outlive the stopwatch.
std::unique_ptr<Stopwatch> make_stopwatch(Backend& backend);

// Uses CUDA events; `backend` must be a CUDA backend.
std::unique_ptr<Stopwatch> make_cuda_stopwatch(Backend& backend);

}  // namespace residual

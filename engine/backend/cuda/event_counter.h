// A ProgressCounter made of CUDA events.
#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "engine/backend/cuda/handles.h"
#include "engine/backend/progress_counter.h"

namespace residual::cuda {

class EventCounter final : public ProgressCounter {
  public:
    // Counts the work on `stream`, which must outlive this and belong to the current device.
    explicit EventCounter(cudaStream_t stream);
    void advance(int64_t count) override;
    int64_t completed() override;

  private:
    struct Mark {
        int64_t count;
        Event event;  // Recorded after the work.
    };

    void retire_completed();

    cudaStream_t stream_;
    int device_ = 0;
    std::mutex mutex_;         // Of all members below.
    std::deque<Mark> marks_;   // Not known to be complete, oldest first.
    std::vector<Event> idle_;  // Events to use again.
    int64_t completed_ = 0;
};

}  // namespace residual::cuda

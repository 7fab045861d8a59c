#include "engine/backend/cuda/event_counter.h"

#include <utility>

namespace residual::cuda {

namespace {

// About as many launches as CUDA queues before a launch waits. At this limit completed marks are dropped, even without
// a reader; if none is complete, the new count gets no mark.
constexpr size_t kMostMarks = 1024;

}  // namespace

EventCounter::EventCounter(cudaStream_t stream) : stream_(stream) {
    CUDA_CALL(cudaGetDevice(&device_));
}

void EventCounter::advance(int64_t count) {
    const std::lock_guard lock(mutex_);
    if (marks_.size() >= kMostMarks) retire_completed();
    if (marks_.size() >= kMostMarks) return;  // A later count includes this one.
    if (idle_.empty()) idle_.push_back(make_event(cudaEventDisableTiming));
    CUDA_CALL(cudaEventRecord(idle_.back().get(), stream_));
    marks_.push_back({count, std::move(idle_.back())});
    idle_.pop_back();
}

int64_t EventCounter::completed() {
    const std::lock_guard lock(mutex_);
    // A thread starts on GPU 0, where its first call would otherwise allocate memory.
    if (!marks_.empty() && cudaSetDevice(device_) == cudaSuccess) retire_completed();
    return completed_;
}

// An error of the device is left to the thread that trains.
void EventCounter::retire_completed() {
    while (!marks_.empty()) {
        if (cudaEventQuery(marks_.front().event.get()) != cudaSuccess) {
            cudaGetLastError();  // Otherwise the next launch on this thread would report cudaErrorNotReady.
            return;
        }
        completed_ = marks_.front().count;
        idle_.push_back(std::move(marks_.front().event));
        marks_.pop_front();
    }
}

}  // namespace residual::cuda

// The CUDA runtime's functions for streams and events.
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "tests/emulator/failure.h"
#include "tests/emulator/last_error.h"
#include "tests/emulator/memory.h"
#include "tests/emulator/stream_state.h"

using namespace emulator;

struct CUevent_st {
    unsigned flags = cudaEventDefault;
    std::optional<std::chrono::steady_clock::time_point> time{};
    bool held = false;
};

namespace {

// Of everything below about events, which, unlike the rest of the device, a second host thread may query.
std::mutex events_mutex;
bool holds_events = false;

std::vector<std::unique_ptr<CUevent_st>>& events() {
    static auto& all = *new std::vector<std::unique_ptr<CUevent_st>>;
    return all;
}

void release_events() {
    for (const auto& event : events()) event->held = false;
}

template <class Handles, class Handle>
auto find(Handles& handles, Handle handle) {
    return std::find_if(handles.begin(), handles.end(), [&](const auto& other) { return other.get() == handle; });
}

bool is_event(cudaEvent_t event) {
    return find(events(), event) != events().end();
}

// A capture forbids waiting: its operations are recorded, not run.
cudaError_t wait_for(cudaStream_t stream) {
    if (!is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    if (is_capturing(stream) || calls_are_restricted()) {
        invalidate_capture(stream);
        return remember(cudaErrorStreamCaptureUnsupported);
    }
    Memory::instance().check_guards();
    const std::lock_guard lock(events_mutex);
    release_events();
    return cudaSuccess;
}

}  // namespace

void emulator::hold_events(bool hold) {
    const std::lock_guard lock(events_mutex);
    holds_events = hold;
    if (!hold) release_events();
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
    if (const cudaError_t failure = requested_failure(__func__); failure != cudaSuccess) return failure;
    if (flags != cudaStreamDefault && flags != cudaStreamNonBlocking) return remember(cudaErrorInvalidValue);
    streams().push_back(std::make_unique<CUstream_st>(CUstream_st{flags}));
    *stream = streams().back().get();
    return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    const auto found = find(streams(), stream);
    if (found == streams().end()) return remember(cudaErrorInvalidResourceHandle);
    streams().erase(found);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (const cudaError_t failure = requested_failure(__func__); failure != cudaSuccess) return failure;
    return wait_for(stream);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    return wait_for(stream);
}

cudaError_t cudaDeviceSynchronize() {
    for (const auto& stream : streams()) {
        if (is_capturing(stream.get())) return wait_for(stream.get());
    }
    return wait_for(nullptr);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
    const std::lock_guard lock(events_mutex);
    events().push_back(std::make_unique<CUevent_st>(CUevent_st{flags}));
    *event = events().back().get();
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    const std::lock_guard lock(events_mutex);
    const auto found = find(events(), event);
    if (found == events().end()) return remember(cudaErrorInvalidResourceHandle);
    events().erase(found);
    return cudaSuccess;
}

// Submitted work is already done, so the event completes now, unless events are held.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    const std::lock_guard lock(events_mutex);
    if (!is_event(event) || !is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    if (is_capturing(stream)) {
        invalidate_capture(stream);  // CUDA would fork the capture; this project never does
        return remember(cudaErrorNotSupported);
    }
    event->time = std::chrono::steady_clock::now();
    event->held = holds_events;
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    {
        const std::lock_guard lock(events_mutex);
        if (!is_event(event)) return remember(cudaErrorInvalidResourceHandle);
    }
    return wait_for(nullptr);
}

// Does not wait, so that a capture by another host thread allows it.
cudaError_t cudaEventQuery(cudaEvent_t event) {
    const std::lock_guard lock(events_mutex);
    if (!is_event(event)) return remember(cudaErrorInvalidResourceHandle);
    return remember(event->held ? cudaErrorNotReady : cudaSuccess);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    const std::lock_guard lock(events_mutex);
    if (!is_event(event) || !is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
    const std::lock_guard lock(events_mutex);
    if (!is_event(start) || !is_event(end)) return remember(cudaErrorInvalidResourceHandle);
    if (!start->time || !end->time || ((start->flags | end->flags) & cudaEventDisableTiming) != 0) {
        return remember(cudaErrorInvalidResourceHandle);
    }
    *milliseconds = std::chrono::duration<float, std::milli>(*end->time - *start->time).count();
    return cudaSuccess;
}

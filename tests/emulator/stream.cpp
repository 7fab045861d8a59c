#include "tests/emulator/stream.h"

#include <algorithm>
#include <thread>

#include "tests/emulator/fault.h"
#include "tests/emulator/stream_state.h"

namespace emulator {

namespace {

Counts counted;
bool dry_run = false;

// The emulator's state is not thread-safe.
void check_thread() {
    static const std::thread::id owner = std::this_thread::get_id();
    if (std::this_thread::get_id() != owner) throw Fault("the emulated device is used by a second host thread");
}

bool blocks_default_stream(const CUstream_st& stream) {
    return stream.captured.has_value() && (stream.flags & cudaStreamNonBlocking) == 0;
}

}  // namespace

std::vector<std::unique_ptr<CUstream_st>>& streams() {
    static auto& all = *new std::vector<std::unique_ptr<CUstream_st>>;
    return all;
}

bool is_stream(cudaStream_t stream) {
    const auto is_it = [&](const auto& other) { return other.get() == stream; };
    return stream == nullptr || std::any_of(streams().begin(), streams().end(), is_it);
}

bool is_capturing(cudaStream_t stream) {
    return stream != nullptr && stream->captured.has_value();
}

bool calls_are_restricted() {
    return std::any_of(streams().begin(), streams().end(), [](const auto& stream) {
        return stream->captured.has_value() && stream->mode != cudaStreamCaptureModeRelaxed;
    });
}

void invalidate_capture(cudaStream_t stream) {
    if (is_capturing(stream)) stream->valid = false;
}

cudaError_t submit(cudaStream_t stream, Operation operation) {
    check_thread();
    if (!is_stream(stream)) return cudaErrorInvalidResourceHandle;
    if (stream == nullptr) {
        for (const auto& other : streams()) {
            if (!blocks_default_stream(*other)) continue;
            other->valid = false;
            return cudaErrorStreamCaptureImplicit;
        }
    }
    if (is_capturing(stream)) {
        if (!stream->valid) return cudaErrorStreamCaptureInvalidated;
        stream->captured->push_back(std::move(operation));
        return cudaSuccess;
    }
    perform(operation);
    return cudaSuccess;
}

void perform(const Operation& operation) {
    switch (operation.kind) {
        case Kind::kKernel:
            ++counted.kernels;
            break;
        case Kind::kMemcpy:
            ++counted.memcpys;
            break;
        case Kind::kMemset:
            ++counted.memsets;
            break;
        case Kind::kLibrary:
            ++counted.library_calls;
            break;
    }
    ++counted.by_name[operation.name];
    if (!dry_run) operation.work();
}

void count_graph_launch() {
    ++counted.graph_launches;
}

const Counts& counts() {
    return counted;
}

void reset_counts() {
    counted = {};
}

void set_dry(bool dry) {
    dry_run = dry;
}

}  // namespace emulator

// Streams: all work of the device comes through submit(), which runs it at once or, while the stream captures, notes it
// down for a graph. Kernels, the runtime's copies and the doubles of libraries use it alike.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace emulator {

enum class Kind { kKernel, kMemcpy, kMemset, kLibrary };

struct Operation {
    Kind kind;
    std::string name;  // a kernel's, readable; the library's function; the runtime's call
    std::function<void()> work;
};

// cudaErrorStreamCaptureImplicit on the default stream while a stream that waits for it captures;
// cudaErrorInvalidResourceHandle for a stream that does not exist (any more).
cudaError_t submit(cudaStream_t stream, Operation operation);

bool is_stream(cudaStream_t stream);
bool is_capturing(cudaStream_t stream);
// Whether any stream captures in a mode in which this thread may not allocate, free or wait (all but Relaxed).
bool calls_are_restricted();
// A call that captures forbid was made while this stream captured: the capture is lost.
void invalidate_capture(cudaStream_t stream);

// What has run since the last reset, replays of graphs included; what a capture notes down has not run.
struct Counts {
    int64_t kernels = 0, memcpys = 0, memsets = 0, library_calls = 0;
    int64_t graph_launches = 0;
    std::map<std::string, int64_t> by_name;

    int64_t total() const { return kernels + memcpys + memsets + library_calls; }
};
const Counts& counts();
void reset_counts();

// From now on operations are counted but not done: for counting the launches of networks too large to run here.
void set_dry(bool dry);

// Counts the operation and does it.
void perform(const Operation& operation);

}  // namespace emulator

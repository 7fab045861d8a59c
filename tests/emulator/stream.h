// Streams. All device work (kernels, the runtime's copies, the fake libraries' calls) goes through submit(), which runs
// it immediately or, if the stream is capturing, records it for a graph.
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
    std::string name;  // of the kernel (demangled), the library function, or the runtime call
    std::function<void()> work;
};

// Returns cudaErrorStreamCaptureImplicit on the default stream while a stream that synchronises with it is capturing,
// cudaErrorInvalidResourceHandle for a stream that does not exist.
cudaError_t submit(cudaStream_t stream, Operation operation);

bool is_stream(cudaStream_t stream);
bool is_capturing(cudaStream_t stream);
// Whether any stream is capturing in a mode that forbids allocating, freeing and waiting (any but Relaxed).
bool calls_are_restricted();
// Invalidates this stream's capture, if any, after a call that captures forbid.
void invalidate_capture(cudaStream_t stream);

// The operations that have run since the last reset, including graph replays but not captured operations.
struct Counts {
    int64_t kernels = 0, memcpys = 0, memsets = 0, library_calls = 0;
    int64_t graph_launches = 0;
    std::map<std::string, int64_t> by_name;

    int64_t total() const { return kernels + memcpys + memsets + library_calls; }
};
const Counts& counts();
void reset_counts();

// In a dry run operations are counted but not run: for counting the launches of networks too large to emulate.
void set_dry(bool dry);

// While `hold` is true, an event that is recorded completes only when a stream or the event is waited for, as if the
// device were busy until then. Otherwise it completes at once.
void hold_events(bool hold);

// Counts the operation and runs it.
void perform(const Operation& operation);

}  // namespace emulator

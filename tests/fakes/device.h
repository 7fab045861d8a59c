// What the stand-ins ask of the device on which they run: whose memory a pointer is, which streams live, and that work
// is queued.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace fakes {

// What a call says of a piece of device memory.
struct DeviceArray {
    const char* name;  // Of the argument, for messages.
    const void* pointer;
    size_t bytes;
};

// Throws Misuse unless the whole array lies in one live allocation of the device.
void require_on_device(const DeviceArray& array);
// Throws Misuse where `output`, which is written while the others are read, shares memory with one of them.
void require_apart(const DeviceArray& output, const std::vector<DeviceArray>& others);
// Throws Misuse unless it is a stream that lives.
void require_live(cudaStream_t stream, const char* of);
bool is_being_captured(cudaStream_t stream);

// Queues the work on the stream, which may be recording it.
void queue(cudaStream_t stream, const char* name, std::function<void()> work);

}  // namespace fakes

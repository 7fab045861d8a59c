// The fakes' access to the emulated device: checks of pointers and streams, and queueing work.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace fakes {

// An array argument of a call.
struct DeviceArray {
    const char* name;  // for messages
    const void* pointer;
    size_t bytes;
};

// Throws Misuse unless the whole array is inside one live allocation of the device.
void require_on_device(const DeviceArray& array);
// Throws Misuse if `output`, which is written while the others are read, overlaps one of them.
void require_disjoint(const DeviceArray& output, const std::vector<DeviceArray>& others);
// Throws Misuse if the stream was destroyed. `of`: what uses the stream, for the message.
void require_live(cudaStream_t stream, const char* of);
bool is_being_captured(cudaStream_t stream);

// Queues the work on the stream, which may be capturing.
void queue(cudaStream_t stream, const char* name, std::function<void()> work);

}  // namespace fakes

// Launches: checks the limits of the device, then runs the grid under one or several schedules. Blocks start in random
// order and are paused only at atomics, while others run. A block must not wait for another one: there are no grid-wide
// barriers.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>

namespace emulator {

struct Launch {
    const void* kernel;
    dim3 grid, block;
    size_t shared_bytes;
    std::function<void()> thread;  // the kernel with its arguments
};

// Queues the grid. Returns the device's error for a launch beyond its limits; cudaGetLastError then returns it too.
cudaError_t launch(Launch launch, cudaStream_t stream);

// The running block's shared memory; its size is exactly `shared_bytes` of the launch.
unsigned char* shared_memory();
// Whether [pointer, pointer + bytes) is inside it.
bool in_shared_memory(const void* pointer, size_t bytes);

}  // namespace emulator

// Launches: what a device checks before it runs a grid, and the grid under one or several schedules. Blocks run one
// after another, in an order drawn at random: a block that waited for another to write would wait for ever, so barriers
// across the grid do not exist here.
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

// Queues the grid; refuses what the device refuses, with its error, which cudaGetLastError then also returns.
cudaError_t launch(Launch launch, cudaStream_t stream);

// The running block's shared memory, exactly as long as the launch says.
unsigned char* shared_memory();
// Whether [pointer, pointer + bytes) lies in it.
bool in_shared_memory(const void* pointer, size_t bytes);

}  // namespace emulator

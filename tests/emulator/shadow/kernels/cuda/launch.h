// Replaces kernels/cuda/launch.h in the emulator's include path: the same functions, on the CPU.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <type_traits>

#include "kernels/exec.h"
#include "tests/emulator/device.h"
#include "tests/emulator/grid.h"

namespace residual::kernels {

[[noreturn]] void throw_launch_error(const void* kernel, dim3 grid, dim3 block, size_t shared_bytes, cudaError_t error);

template <class... Params, class... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared_bytes, CUstream_st* stream, Args... args) {
    static_assert((std::is_trivially_copyable_v<Params> && ...), "kernel arguments are copied to the device as bytes");
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    const auto function = reinterpret_cast<const void*>(kernel);
    const cudaError_t error =
        emulator::launch({function, grid, block, shared_bytes, [=] { kernel(static_cast<Params>(args)...); }}, stream);
    if (error != cudaSuccess) {
        cudaGetLastError();
        throw_launch_error(function, grid, block, shared_bytes, error);
    }
}

template <class T>
T* dynamic_shared() {
    static_assert(alignof(T) <= 16, "shared memory starts at a multiple of 16 bytes");
    return reinterpret_cast<T*>(emulator::shared_memory());
}

}  // namespace residual::kernels

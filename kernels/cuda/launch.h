#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/exec.h"

namespace residual::kernels {

// Throws LaunchError with the kernel's name (CUDA 12.3 and later only), its grid, and the error.
[[noreturn]] void throw_launch_error(const void* kernel, dim3 grid, dim3 block, size_t shared_bytes, cudaError_t error);

// All kernels are launched here. An empty grid is not an error.
template <class... Params, class... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared_bytes, CUstream_st* stream, Args... args) {
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    kernel<<<grid, block, shared_bytes, stream>>>(static_cast<Params>(args)...);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess) {
        throw_launch_error(reinterpret_cast<const void*>(kernel), grid, block, shared_bytes, error);
    }
}

// The block's shared memory, `shared_bytes` of launch(). All shared memory is obtained here.
template <class T>
__device__ T* dynamic_shared() {
    extern __shared__ __align__(16) unsigned char shared_memory[];
    return reinterpret_cast<T*>(shared_memory);
}

}  // namespace residual::kernels

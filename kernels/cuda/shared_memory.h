#pragma once

#include "kernels/cuda/launch.h"

namespace residual::kernels {

// Opts the kernel in to `bytes` of dynamic shared memory, once per kernel. To be called before its launch.
template <auto kernel>
void allow_shared_bytes(size_t bytes) {
    constexpr size_t kDefaultLimit = 48 * 1024;
    if (bytes <= kDefaultLimit) return;
    [[maybe_unused]] static const bool allowed = [bytes] {
        const void* function = reinterpret_cast<const void*>(kernel);
        const cudaError_t error =
            cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
        if (error != cudaSuccess) throw_launch_error(function, 0, 0, bytes, error);
        return true;
    }();
}

}  // namespace residual::kernels

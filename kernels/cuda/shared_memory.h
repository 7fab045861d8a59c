// Blocks that take more shared memory than a kernel is granted unasked.
#pragma once

#include "kernels/cuda/launch.h"

namespace residual::kernels {

// To be called before kernels are launched with more than 48 KiB; asks the driver once for each kernel.
template <auto kernel>
void allow_shared_bytes(size_t bytes) {
    constexpr size_t kUnasked = 48 * 1024;
    if (bytes <= kUnasked) return;
    [[maybe_unused]] static const bool allowed = [bytes] {
        const void* function = reinterpret_cast<const void*>(kernel);
        const cudaError_t error =
            cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
        if (error != cudaSuccess) throw_launch_error(function, 0, 0, bytes, error);
        return true;
    }();
}

}  // namespace residual::kernels

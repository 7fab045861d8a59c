#include "engine/backend/cuda/memory.h"

#include <fmt/format.h>

#include "engine/backend/cuda/check.h"

namespace residual::cuda {

void* DeviceMemory::allocate(size_t bytes) {
    void* pointer = nullptr;
    const cudaError_t status = cudaMalloc(&pointer, bytes);
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();  // otherwise the next launch would report it
        return nullptr;
    }
    check(status, "cudaMalloc");
    return pointer;
}

void DeviceMemory::release(void* pointer, size_t) noexcept {
    cudaFree(pointer);
}

std::string DeviceMemory::remedy() const {
    return memory_advice();
}

std::string memory_advice() {
    constexpr const char* kAdvice = "stop other programs that use the GPU";
    size_t free_bytes = 0, total_bytes = 0;
    if (cudaMemGetInfo(&free_bytes, &total_bytes) != cudaSuccess) return kAdvice;
    return fmt::format("the GPU has {:.1f} of {:.1f} MiB free: {}", free_bytes / 1048576.0, total_bytes / 1048576.0,
                       kAdvice);
}

}  // namespace residual::cuda

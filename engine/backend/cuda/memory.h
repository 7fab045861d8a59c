// GPU memory for the arena.
#pragma once

#include "engine/core/arena.h"

namespace residual::cuda {

class DeviceMemory final : public MemorySource {
  public:
    void* allocate(size_t bytes) override;
    void release(void* pointer, size_t bytes) noexcept override;
    std::string remedy() const override;
};

// For an out-of-memory message: the free GPU memory and the remedy.
std::string memory_advice();

}  // namespace residual::cuda

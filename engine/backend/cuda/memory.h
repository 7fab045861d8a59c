// Memory of the GPU for the arena.
#pragma once

#include "engine/core/arena.h"

namespace engine::cuda {

class DeviceMemory final : public MemorySource {
  public:
    void* allocate(size_t bytes) override;
    void release(void* pointer, size_t bytes) noexcept override;
    std::string remedy() const override;
};

}  // namespace engine::cuda

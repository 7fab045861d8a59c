// Memory for tensors: allocates blocks from large chunks of device memory.
//
// The choice of a block depends only on which blocks are free (smallest that fits, then lowest address), not on the
// order in which they were freed. A training step that starts from the same live tensors therefore gets the same
// addresses as the previous step and can be captured once and replayed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace residual {

// Allocates the raw memory of one device.
class MemorySource {
  public:
    virtual ~MemorySource() = default;
    // Aligned to Arena::kAlignment; nullptr if the device is out of memory.
    virtual void* allocate(size_t bytes) = 0;
    virtual void release(void* pointer, size_t bytes) noexcept = 0;
    // For the error message after allocate() fails: total and free memory of the device, and the remedy.
    virtual std::string remedy() const = 0;
};

class Arena {
  public:
    static constexpr size_t kAlignment = 256;

    explicit Arena(std::shared_ptr<MemorySource> source);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // At least one byte, aligned to kAlignment. Throws OutOfMemoryError, whose details give the size
    // requested, the bytes reserved and the source's remedy.
    void* allocate(size_t bytes);
    void free(void* pointer) noexcept;

    size_t bytes_in_use() const { return in_use_; }
    // Bytes allocated from the device: peak usage plus fragmentation.
    size_t bytes_reserved() const { return reserved_; }

  private:
    struct Block {
        size_t bytes;
        bool free;
        size_t chunk;
    };
    struct Chunk {
        void* pointer;
        size_t bytes;
    };
    using Blocks = std::map<uintptr_t, Block>;

    Blocks::iterator grow(size_t bytes);
    bool mergeable(Blocks::iterator left, Blocks::iterator right) const;

    std::shared_ptr<MemorySource> source_;
    std::vector<Chunk> chunks_;
    Blocks blocks_;  // All blocks, by address; they cover every chunk without gaps.
    size_t in_use_ = 0;
    size_t reserved_ = 0;
};

}  // namespace residual

// Memory for tensors. An arena takes large chunks from a device and hands out pieces of them.
//
// The piece handed out depends only on which pieces are free (smallest that fits, then lowest address), not on the
// order in which they were freed. A training step that starts from the same live tensors therefore sees the same
// addresses as the step before it, which is what lets a step be captured once and replayed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace residual {

// Raw memory of one device.
class MemorySource {
  public:
    virtual ~MemorySource() = default;
    // Returns nullptr when the device has no `bytes` left. Aligned to Arena::kAlignment.
    virtual void* allocate(size_t bytes) = 0;
    virtual void release(void* pointer, size_t bytes) noexcept = 0;
    // What to tell a user when allocate() fails: how much memory the device has and how much of it is free, and the
    // remedy.
    virtual std::string remedy() const = 0;
};

class Arena {
  public:
    static constexpr size_t kAlignment = 256;

    explicit Arena(std::shared_ptr<MemorySource> source);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // At least one byte of memory, aligned to kAlignment. Throws Error when there is none: the need, the amount held,
    // the source's remedy.
    void* allocate(size_t bytes);
    void free(void* pointer) noexcept;

    size_t bytes_in_use() const { return in_use_; }
    // Bytes taken from the device: the peak of what was in use, plus fragmentation.
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
    Blocks blocks_;  // All blocks by address; neighbours of one chunk are contiguous.
    size_t in_use_ = 0;
    size_t reserved_ = 0;
};

}  // namespace residual

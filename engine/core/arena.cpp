#include "engine/core/arena.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/error.h"

namespace residual {

namespace {

// Minimum chunk size. A larger request gets a chunk of exactly its size, which limits the memory reserved in excess.
constexpr size_t kChunkBytes = size_t{8} << 20;

size_t rounded(size_t bytes) {
    return (std::max<size_t>(bytes, 1) + Arena::kAlignment - 1) / Arena::kAlignment * Arena::kAlignment;
}

}  // namespace

Arena::Arena(std::shared_ptr<MemorySource> source) : source_(std::move(source)) {}

Arena::~Arena() {
    for (const Chunk& chunk : chunks_) source_->release(chunk.pointer, chunk.bytes);
}

void* Arena::allocate(size_t bytes) {
    const size_t need = rounded(bytes);
    auto best = blocks_.end();
    for (auto it = blocks_.begin(); it != blocks_.end(); ++it) {
        const Block& block = it->second;
        if (block.free && block.bytes >= need && (best == blocks_.end() || block.bytes < best->second.bytes)) best = it;
    }
    if (best == blocks_.end()) best = grow(need);

    Block& block = best->second;
    if (block.bytes > need) {
        blocks_.emplace(best->first + need, Block{block.bytes - need, true, block.chunk});
        block.bytes = need;
    }
    block.free = false;
    in_use_ += need;
    return reinterpret_cast<void*>(best->first);
}

void Arena::free(void* pointer) noexcept {
    auto it = blocks_.find(reinterpret_cast<uintptr_t>(pointer));
    it->second.free = true;
    in_use_ -= it->second.bytes;
    if (const auto next = std::next(it); next != blocks_.end() && mergeable(it, next)) {
        it->second.bytes += next->second.bytes;
        blocks_.erase(next);
    }
    if (it != blocks_.begin() && mergeable(std::prev(it), it)) {
        std::prev(it)->second.bytes += it->second.bytes;
        blocks_.erase(it);
    }
}

Arena::Blocks::iterator Arena::grow(size_t bytes) {
    const size_t chunk_bytes = std::max(bytes, kChunkBytes);
    void* pointer = source_->allocate(chunk_bytes);
    if (pointer == nullptr) {
        throw OutOfMemoryError(fmt::format("cannot allocate {:.1f} MiB ({:.1f} MiB already allocated); {}",
                                           chunk_bytes / 1048576.0, reserved_ / 1048576.0, source_->remedy()));
    }
    chunks_.push_back({pointer, chunk_bytes});
    reserved_ += chunk_bytes;
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    return blocks_.emplace(address, Block{chunk_bytes, true, chunks_.size() - 1}).first;
}

bool Arena::mergeable(Blocks::iterator left, Blocks::iterator right) const {
    return left->second.free && right->second.free && left->second.chunk == right->second.chunk;
}

}  // namespace residual

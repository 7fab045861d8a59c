// The arena: addresses depend only on which blocks are in use.
#include "engine/core/arena.h"

#include <cstdlib>
#include <random>
#include <vector>

#include "engine/core/error.h"
#include "tests/catch.h"

using namespace residual;

namespace {

constexpr size_t kMiB = size_t{1} << 20;

// A device with `capacity` bytes. Counts the bytes allocated and not released in `held`.
class FakeMemory final : public MemorySource {
  public:
    explicit FakeMemory(size_t capacity, size_t* held = nullptr) : capacity_(capacity), held_(held) {}

    void* allocate(size_t bytes) override {
        if (bytes > capacity_) return nullptr;
        capacity_ -= bytes;
        if (held_ != nullptr) *held_ += bytes;
        return std::aligned_alloc(Arena::kAlignment, bytes);
    }
    void release(void* pointer, size_t bytes) noexcept override {
        if (held_ != nullptr) *held_ -= bytes;
        std::free(pointer);
    }
    std::string remedy() const override { return "remedy of the fake device"; }

  private:
    size_t capacity_;
    size_t* held_;
};

Arena make_arena(size_t capacity = 256 * kMiB) {
    return Arena(std::make_unique<FakeMemory>(capacity));
}

// Offsets from the first pointer, to compare two arenas.
std::vector<ptrdiff_t> offsets(const std::vector<void*>& pointers) {
    std::vector<ptrdiff_t> all;
    for (void* pointer : pointers) all.push_back(static_cast<char*>(pointer) - static_cast<char*>(pointers.front()));
    return all;
}

}  // namespace

TEST_CASE("arena blocks are aligned, do not overlap and are counted", "[core]") {
    Arena arena = make_arena();
    const std::vector<size_t> sizes = {1, 255, 256, 257, 100000, 3, kMiB};
    std::vector<std::pair<uintptr_t, size_t>> blocks;
    size_t in_use = 0;
    for (const size_t size : sizes) {
        const auto address = reinterpret_cast<uintptr_t>(arena.allocate(size));
        CHECK(address % Arena::kAlignment == 0);
        for (const auto& [other, bytes] : blocks) {
            const bool apart = address + size <= other || other + bytes <= address;
            CHECK(apart);
        }
        blocks.emplace_back(address, size);
        in_use += (size + Arena::kAlignment - 1) / Arena::kAlignment * Arena::kAlignment;
        CHECK(arena.bytes_in_use() == in_use);
    }
    for (const auto& block : blocks) arena.free(reinterpret_cast<void*>(block.first));
    CHECK(arena.bytes_in_use() == 0);
}

TEST_CASE("empty blocks have distinct addresses", "[core]") {
    Arena arena = make_arena();
    void* a = arena.allocate(0);
    void* b = arena.allocate(0);
    CHECK(a != nullptr);
    CHECK(a != b);
    arena.free(a);
    arena.free(b);
    CHECK(arena.bytes_in_use() == 0);
}

TEST_CASE("the order in which blocks are freed does not affect later allocations", "[core]") {
    const std::vector<size_t> sizes = {1000, 50000, 300, 7000, 300, 20000, 64};
    const std::vector<std::vector<size_t>> orders = {{1, 3, 4, 5}, {5, 4, 3, 1}, {4, 1, 5, 3}, {3, 5, 1, 4}};
    std::vector<std::vector<ptrdiff_t>> seen;
    for (const auto& order : orders) {
        Arena arena = make_arena();
        std::vector<void*> blocks;
        for (const size_t size : sizes) blocks.push_back(arena.allocate(size));
        for (const size_t i : order) arena.free(blocks[i]);
        std::vector<void*> next = {blocks[0]};
        for (const size_t size : {200, 40000, 27000, 300, 10000, 128}) next.push_back(arena.allocate(size));
        seen.push_back(offsets(next));
    }
    for (const auto& addresses : seen) CHECK(addresses == seen.front());
}

TEST_CASE("adjacent free blocks are merged in any order", "[core]") {
    for (const auto& order : {std::vector{0, 1, 2}, std::vector{2, 1, 0}, std::vector{0, 2, 1}, std::vector{1, 0, 2}}) {
        Arena arena = make_arena();
        void* blocks[3];
        for (void*& block : blocks) block = arena.allocate(2 * kMiB);
        void* last = arena.allocate(2 * kMiB);
        const size_t reserved = arena.bytes_reserved();
        for (const int i : order) arena.free(blocks[i]);
        CHECK(arena.allocate(6 * kMiB) == blocks[0]);
        CHECK(arena.bytes_reserved() == reserved);
        arena.free(last);
        CHECK(arena.allocate(2 * kMiB) == last);
    }
}

TEST_CASE("an allocation takes the smallest block that fits, then the lowest address", "[core]") {
    Arena arena = make_arena();
    std::vector<void*> blocks;
    for (const size_t size : {4096, 256, 1024, 256, 2048, 256, 1024, 256}) blocks.push_back(arena.allocate(size));
    for (const int i : {0, 2, 4, 6}) arena.free(blocks[i]);
    CHECK(arena.allocate(1000) == blocks[2]);
    CHECK(arena.allocate(1000) == blocks[6]);
    CHECK(arena.allocate(1000) == blocks[4]);
    CHECK(arena.allocate(1000) == static_cast<char*>(blocks[4]) + 1024);
    CHECK(arena.allocate(4096) == blocks[0]);
}

TEST_CASE("repeated steps get the same addresses from the second step on", "[core]") {
    // Like training: weights and buffers stay allocated, activations are freed out of order, and every tenth request is
    // larger.
    Arena arena = make_arena();
    std::mt19937 random(1);
    for (int i = 0; i < 20; ++i) arena.allocate(1 + random() % 100000);

    std::vector<size_t> sizes;
    for (int i = 0; i < 200; ++i) sizes.push_back(1 + random() % (i % 10 == 0 ? 3 * kMiB : 50000));
    const auto step = [&](bool reverse) {
        std::vector<void*> seen, live;
        for (const size_t size : sizes) {
            live.push_back(arena.allocate(size));
            seen.push_back(live.back());
            if (live.size() > 12) {
                // Free the sixth from the end early, as for a gradient.
                const auto early = live.end() - 6;
                arena.free(*early);
                live.erase(early);
            }
        }
        if (reverse) {
            for (auto it = live.rbegin(); it != live.rend(); ++it) arena.free(*it);
        } else {
            for (void* pointer : live) arena.free(pointer);
        }
        return seen;
    };
    step(false);
    const size_t reserved = arena.bytes_reserved(), in_use = arena.bytes_in_use();
    const auto second = step(true);
    for (int i = 0; i < 4; ++i) CHECK(step(i % 2 == 0) == second);
    CHECK(arena.bytes_reserved() == reserved);
    CHECK(arena.bytes_in_use() == in_use);
}

TEST_CASE("blocks of different chunks are never merged", "[core]") {
    Arena arena = make_arena();
    // Each fills one chunk.
    std::vector<void*> chunks;
    for (int i = 0; i < 4; ++i) chunks.push_back(arena.allocate(8 * kMiB));
    for (void* chunk : chunks) arena.free(chunk);
    const size_t reserved = arena.bytes_reserved();
    CHECK(reserved == 32 * kMiB);
    void* large = arena.allocate(9 * kMiB);
    CHECK(arena.bytes_reserved() == reserved + 9 * kMiB);
    for (void* chunk : chunks) CHECK(large != chunk);
}

TEST_CASE("an out-of-memory error names the request, the memory in use and the remedy", "[core]") {
    Arena arena = make_arena(20 * kMiB);
    void* first = arena.allocate(12 * kMiB);
    std::string message;
    try {
        arena.allocate(10 * kMiB);
    } catch (const Error& error) {
        message = error.what();
    }
    CHECK_THAT(message, ContainsSubstring("out of memory"));
    CHECK_THAT(message, ContainsSubstring("cannot allocate 10.0 MiB"));
    CHECK_THAT(message, ContainsSubstring("12.0 MiB already allocated"));
    CHECK_THAT(message, ContainsSubstring("remedy of the fake device"));
    // The arena is still usable.
    CHECK(arena.bytes_in_use() == 12 * kMiB);
    arena.free(first);
    CHECK(arena.allocate(11 * kMiB) == first);
}

TEST_CASE("an arena releases all of its memory", "[core]") {
    size_t held = 0;
    {
        Arena arena(std::make_unique<FakeMemory>(64 * kMiB, &held));
        arena.free(arena.allocate(10));
        arena.allocate(12 * kMiB);
        CHECK(held == arena.bytes_reserved());
        CHECK(held == 20 * kMiB);
    }
    CHECK(held == 0);
}

// Data that the blocks of one grid pass to each other: __stcg, __ldcg, __threadfence and atomics.
//
// A store is visible to another block only if its thread then executes a fence, and then an atomic; and the reader
// executes an atomic on the same address, and then a fence. Within a block, __syncthreads passes this order on to the
// other threads (barriers of a warp do not). __ldcg of anything else that another block has stored is a Fault.
//
// Memory that is stored with __stcg holds poison until the grid ends: an ordinary load could return old bytes from the
// SM's L1 cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <unordered_map>
#include <vector>

#include "tests/emulator/memory.h"

namespace emulator {

// Fences are numbered; the number of a fence is its time. 0: before all of them.
using Time = uint64_t;

inline constexpr uint32_t kNoBlock = ~0u;
inline constexpr size_t kPageWords = 256;

// Four bytes of global memory, as last stored with __stcg.
struct Word {
    uint32_t value = 0;
    uint32_t block = kNoBlock;  // number in the grid of the block that stored it
    Time time = 0;              // of the fence after the store
};

// What fences and atomics have ordered before the next access of a thread.
struct Order {
    Time released = 0;  // the last fence
    Time observed = 0;  // the last fence before the atomics of other threads that this thread's atomics have observed
    Time visible = 0;   // stores up to this fence are visible
    std::vector<Word*> unfenced{};

    // Adds the order of another thread, which loses its unfenced stores to this one.
    void join(Order& other);
};

class Exchange {
  public:
    static Exchange& instance();

    void store(const std::source_location& place, const void* target, const void* value, size_t bytes);
    void load(const std::source_location& place, const void* source, void* value, size_t bytes);
    void fence();
    // Before and after an atomic on `target`; other blocks may run during the call.
    void before_atomic(const void* target);
    void after_atomic();

    // Whether the grid has stored this byte with __stcg or by an atomic.
    bool holds(const unsigned char* address) const;
    // Whether the grid has stored with __stcg, or used atomics.
    bool used() const { return !pages_.empty() || !released_.empty(); }

    // Ends the grid: all stores become visible to everyone. Throws Fault if an ordinary store has overwritten one.
    void finish();
    // Forgets all stores.
    void clear();

  private:
    using Page = std::array<Word, kPageWords>;

    static uintptr_t page_of(const unsigned char* address);
    static size_t index_in_page(const unsigned char* address);
    void check_order(const char* name, const std::source_location& place, const Word& word) const;

    Time now_ = 0;
    std::unordered_map<uintptr_t, Page> pages_;       // by address / page size
    std::unordered_map<const void*, Time> released_;  // by atomics on this address
};

// The intrinsics. They touch the memory in code that AddressSanitizer checks.
template <class T>
void store_published(const std::source_location& place, T* target, const T& value) {
    static_assert(sizeof(T) % sizeof(uint32_t) == 0, "the emulator publishes whole 4-byte words");
    std::memset(static_cast<void*>(target), kPoison, sizeof(T));
    Exchange::instance().store(place, target, &value, sizeof(T));
}
template <class T>
T load_published(const std::source_location& place, const T* source) {
    static_assert(sizeof(T) % sizeof(uint32_t) == 0, "the emulator publishes whole 4-byte words");
    T value = *source;
    Exchange::instance().load(place, source, &value, sizeof(T));
    return value;
}
// Replaces *target by change(*target); returns the old value.
template <class T, class Change>
T atomic(T* target, Change change) {
    Exchange::instance().before_atomic(target);
    const T old = *target;
    *target = change(old);
    Exchange::instance().after_atomic();
    return old;
}

}  // namespace emulator

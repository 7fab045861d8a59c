// The device's memory: each allocation a block of its own, filled with 0xff, between guard zones.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace emulator {

inline constexpr int kPoison = 0xff;

// Memory between two guard zones. AddressSanitizer reports who touches them at once; a pattern in them shows, in a
// build without it, that somebody wrote there.
class GuardedBlock {
  public:
    GuardedBlock(size_t bytes, size_t alignment);
    ~GuardedBlock();
    GuardedBlock(GuardedBlock&& other) noexcept;
    GuardedBlock(const GuardedBlock&) = delete;
    GuardedBlock& operator=(const GuardedBlock&) = delete;

    unsigned char* data() const { return data_; }
    size_t bytes() const { return bytes_; }
    void poison() const;
    // Whether the guard zones are as they were.
    bool intact() const;

  private:
    unsigned char* block_;
    unsigned char* data_;
    size_t bytes_;
    size_t alignment_;
};

enum class Owner { kDevice, kPinnedHost };

// Every live allocation, in the order of addresses.
class Memory {
  public:
    static Memory& instance();

    void* allocate(size_t bytes, Owner owner);
    // False if the pointer is not the start of a live allocation of this owner. Throws Fault if its guards are broken.
    bool release(void* pointer, Owner owner);
    // Whether [pointer, pointer + bytes) lies in one live allocation of this owner.
    bool holds(const void* pointer, size_t bytes, Owner owner) const;
    // Whether the pointer is the device's, so that the host may not touch it.
    bool is_device(const void* pointer) const { return holds(pointer, 1, Owner::kDevice); }
    size_t bytes_in_use() const { return bytes_in_use_; }
    // Throws Fault, naming the allocation, if a guard zone was written to.
    void check_guards() const;

    using Snapshot = std::vector<std::vector<unsigned char>>;
    Snapshot copy() const;
    void restore(const Snapshot& snapshot) const;
    // "" if equal, else where the first difference is.
    std::string difference(const Snapshot& snapshot) const;

  private:
    struct Allocation {
        GuardedBlock block;
        Owner owner;
    };
    std::map<const unsigned char*, Allocation> allocations_;
    size_t bytes_in_use_ = 0;
};

// Whether `bytes` from `pointer` on are the device's, in one allocation: what a double of a library asks of its
// operands.
inline bool device_holds(const void* pointer, size_t bytes) {
    return Memory::instance().holds(pointer, bytes, Owner::kDevice);
}

}  // namespace emulator

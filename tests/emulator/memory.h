// The device's memory: each allocation is filled with 0xff and is between two guard zones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace emulator {

inline constexpr int kPoison = 0xff;

// Memory between two guard zones. AddressSanitizer reports any access to them immediately; without it, a pattern in
// them shows later that they were overwritten.
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
    // Whether the guard zones are unchanged.
    bool intact() const;

  private:
    unsigned char* block_;
    unsigned char* data_;
    size_t bytes_;
    size_t alignment_;
};

enum class Owner { kDevice, kPinnedHost };

// All live allocations, ordered by address.
class Memory {
  public:
    static Memory& instance();

    void* allocate(size_t bytes, Owner owner);
    // False if the pointer is not the start of a live allocation of this owner. Throws Fault if a guard zone was
    // overwritten.
    bool release(void* pointer, Owner owner);
    // Whether [pointer, pointer + bytes) is inside one live allocation of this owner.
    bool holds(const void* pointer, size_t bytes, Owner owner) const;
    // Whether the pointer is in device memory, which the host must not access.
    bool is_device(const void* pointer) const { return holds(pointer, 1, Owner::kDevice); }
    size_t bytes_in_use() const { return bytes_in_use_; }
    // Throws Fault with the size of the allocation if a guard zone was overwritten.
    void check_guards() const;

    using Snapshot = std::vector<std::vector<unsigned char>>;
    Snapshot copy() const;
    void restore(const Snapshot& snapshot) const;
    // The place of the first difference; "" if there is none.
    std::string difference(const Snapshot& snapshot) const;
    // Calls visit(address, byte of the snapshot) for each byte of memory that differs from it.
    template <class Visit>
    void visit_differences(Snapshot& snapshot, Visit visit) const;

  private:
    struct Allocation {
        GuardedBlock block;
        Owner owner;
    };
    std::map<const unsigned char*, Allocation> allocations_;
    size_t bytes_in_use_ = 0;
};

template <class Visit>
void Memory::visit_differences(Snapshot& snapshot, Visit visit) const {
    constexpr size_t kStep = 4096;  // bytes compared at once, because few differ
    auto expected = snapshot.begin();
    for (const auto& [start, allocation] : allocations_) {
        unsigned char* data = allocation.block.data();
        for (size_t first = 0; first < expected->size(); first += kStep) {
            const size_t end = std::min(expected->size(), first + kStep);
            if (std::memcmp(data + first, expected->data() + first, end - first) == 0) continue;
            for (size_t i = first; i < end; ++i) {
                if (data[i] != (*expected)[i]) visit(data + i, (*expected)[i]);
            }
        }
        ++expected;
    }
}

// Whether [pointer, pointer + bytes) is inside one allocation of the device.
inline bool device_holds(const void* pointer, size_t bytes) {
    return Memory::instance().holds(pointer, bytes, Owner::kDevice);
}

}  // namespace emulator

#include "tests/emulator/memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "tests/emulator/fault.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

namespace emulator {

namespace {

constexpr size_t kGuardBytes = 4096;
constexpr unsigned char kGuard = 0xa5;
// The alignment that cudaMalloc guarantees.
constexpr size_t kDeviceAlignment = 256;

// With AddressSanitizer the guard zones must not be read, and need not be: any access aborts the program.
bool untouched([[maybe_unused]] const unsigned char* begin, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
    return true;
#else
    return std::all_of(begin, begin + bytes, [](unsigned char byte) { return byte == kGuard; });
#endif
}

}  // namespace

GuardedBlock::GuardedBlock(size_t bytes, size_t alignment) : bytes_(bytes), alignment_(alignment) {
    block_ = static_cast<unsigned char*>(operator new(bytes + 2 * kGuardBytes, std::align_val_t(alignment)));
    data_ = block_ + kGuardBytes;
    std::memset(block_, kGuard, kGuardBytes);
    std::memset(data_ + bytes, kGuard, kGuardBytes);
    poison();
    ASAN_POISON_MEMORY_REGION(block_, kGuardBytes);
    ASAN_POISON_MEMORY_REGION(data_ + bytes, kGuardBytes);
}

GuardedBlock::GuardedBlock(GuardedBlock&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)),
      data_(other.data_),
      bytes_(other.bytes_),
      alignment_(other.alignment_) {}

GuardedBlock::~GuardedBlock() {
    if (block_ == nullptr) return;
    ASAN_UNPOISON_MEMORY_REGION(block_, bytes_ + 2 * kGuardBytes);
    operator delete(block_, std::align_val_t(alignment_));
}

void GuardedBlock::poison() const {
    std::memset(data_, kPoison, bytes_);
}

bool GuardedBlock::intact() const {
    return untouched(block_, kGuardBytes) && untouched(data_ + bytes_, kGuardBytes);
}

Memory& Memory::instance() {
    static Memory& memory = *new Memory;  // outlives every static object that frees
    return memory;
}

void* Memory::allocate(size_t bytes, Owner owner) {
    GuardedBlock block(bytes, kDeviceAlignment);
    unsigned char* data = block.data();
    allocations_.emplace(data, Allocation{std::move(block), owner});
    if (owner == Owner::kDevice) bytes_in_use_ += bytes;
    return data;
}

bool Memory::release(void* pointer, Owner owner) {
    const auto found = allocations_.find(static_cast<unsigned char*>(pointer));
    if (found == allocations_.end() || found->second.owner != owner) return false;
    check_guards();
    if (owner == Owner::kDevice) bytes_in_use_ -= found->second.block.bytes();
    allocations_.erase(found);
    return true;
}

bool Memory::holds(const void* pointer, size_t bytes, Owner owner) const {
    const auto* address = static_cast<const unsigned char*>(pointer);
    auto after = allocations_.upper_bound(address);
    if (after == allocations_.begin()) return false;
    const auto& [start, allocation] = *std::prev(after);
    const auto offset = static_cast<size_t>(address - start);
    return allocation.owner == owner && offset <= allocation.block.bytes() &&
           bytes <= allocation.block.bytes() - offset;
}

void Memory::check_guards() const {
    for (const auto& [start, allocation] : allocations_) {
        if (!allocation.block.intact()) {
            throw Fault("write out of bounds of an allocation of " + std::to_string(allocation.block.bytes()) +
                        " bytes of device memory");
        }
    }
}

Memory::Snapshot Memory::copy() const {
    Snapshot snapshot;
    for (const auto& [start, allocation] : allocations_) {
        snapshot.emplace_back(start, start + allocation.block.bytes());
    }
    return snapshot;
}

void Memory::restore(const Snapshot& snapshot) const {
    auto source = snapshot.begin();
    for (const auto& [start, allocation] : allocations_) {
        if (!source->empty()) std::memcpy(allocation.block.data(), source->data(), source->size());
        ++source;
    }
}

std::string Memory::difference(const Snapshot& snapshot) const {
    auto expected = snapshot.begin();
    size_t number = 0;
    for (const auto& [start, allocation] : allocations_) {
        if (!expected->empty() && std::memcmp(start, expected->data(), expected->size()) != 0) {
            const auto [here, there] = std::mismatch(start, start + expected->size(), expected->begin());
            return "byte " + std::to_string(here - start) + " of allocation " + std::to_string(number) + " (" +
                   std::to_string(expected->size()) + " bytes, " + std::to_string(allocations_.size()) + " live)";
        }
        ++expected;
        ++number;
    }
    return "";
}

}  // namespace emulator

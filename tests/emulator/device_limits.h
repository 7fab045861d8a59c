// What the emulated device is: in numbers a GPU of compute capability 9.0, from the CUDA programming guide's table of
// technical specifications.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulator {

inline constexpr unsigned kMostThreads = 1024, kMostBlockDepth = 64;
inline constexpr unsigned kMostGridWidth = 0x7fffffff, kMostGridHeight = 65535;
inline constexpr int kMultiprocessors = 132;
inline constexpr int kSharedWithoutAsking = 48 << 10, kSharedByAsking = 227 << 10;
inline constexpr int kSharedOfMultiprocessor = 228 << 10, kSharedReserved = 1 << 10;
inline constexpr size_t kMemoryBytes = size_t{8} << 30;

// The device's memory: kMemoryBytes, or less where the environment variable EMULATOR_MEMORY says how many bytes.
size_t memory_bytes();
// Shared memory that a kernel may be given if it asks: kSharedByAsking, or less where the environment variable
// EMULATOR_SHARED_MEMORY says how many bytes, as on smaller GPUs.
int shared_by_asking();
// Shared memory that this kernel may be given.
int shared_limit_of(const void* kernel);

}  // namespace emulator

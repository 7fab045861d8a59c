// The limits of the emulated device: compute capability 9.0, from the table of technical specifications in the CUDA
// programming guide.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulator {

inline constexpr unsigned kMaxThreads = 1024, kMaxBlockDepth = 64;
inline constexpr unsigned kMaxGridWidth = 0x7fffffff, kMaxGridHeight = 65535;
inline constexpr int kMultiprocessors = 132;
inline constexpr int kDefaultSharedBytes = 48 << 10, kOptInSharedBytes = 227 << 10;
inline constexpr int kSharedBytesPerMultiprocessor = 228 << 10, kReservedSharedBytes = 1 << 10;
inline constexpr size_t kMemoryBytes = size_t{8} << 30;

// The device's memory in bytes: the environment variable EMULATOR_MEMORY, or kMemoryBytes if it is not set.
size_t memory_bytes();
// The number of devices: the environment variable EMULATOR_DEVICES, or 1. They share the memory.
int device_count();
// Ten times the compute capability: the environment variable EMULATOR_CAPABILITY, such as 75, or 90. Nothing but the
// device's properties depends on it.
int compute_capability();
// The shared memory per block that a kernel can opt in to: the environment variable EMULATOR_SHARED_MEMORY (to emulate
// smaller GPUs), or kOptInSharedBytes if it is not set.
int opt_in_shared_bytes();
// The shared memory per block that this kernel may use: what it opted in to, or kDefaultSharedBytes.
int shared_limit_of(const void* kernel);

}  // namespace emulator

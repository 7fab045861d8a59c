// How much memory Linux still has for this process. It promises more than it has and kills who uses the promise, so
// whoever takes much asks here first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace residual {

// Where Linux tells; tests name files of their own.
struct HostMemoryFiles {
    std::filesystem::path meminfo = "/proc/meminfo";
    std::filesystem::path process_size = "/proc/self/statm";
    std::filesystem::path process_groups = "/proc/self/cgroup";
    std::filesystem::path groups = "/sys/fs/cgroup";
};

// Bytes; without a limit known, as many as there are numbers.
struct MemoryLimit {
    uint64_t free = UINT64_MAX;
    uint64_t total = UINT64_MAX;
    std::string whose;  // what sets the limit

    // "12.0 of 2048.0 MiB of the machine's memory are free".
    std::string to_string() const;
};

// The tightest of: the machine's available memory, the limits of the process's control groups (version 2 or 1; pages
// that only cache files count as free), and the limit of its address space.
MemoryLimit host_memory(const HostMemoryFiles& files, uint64_t address_space_limit);
MemoryLimit host_memory();

// For a message, after the need: what is free, and the remedy.
std::string host_memory_advice(const MemoryLimit& memory);

}  // namespace residual

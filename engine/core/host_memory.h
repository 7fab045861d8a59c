// How much memory Linux has left for this process. Linux overcommits memory and may OOM-kill the process when it uses
// that memory, so large allocations check this first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/core/control_groups.h"

namespace residual {

// The files in which Linux reports its memory; tests substitute their own.
struct HostMemoryFiles {
    std::filesystem::path meminfo = "/proc/meminfo";
    std::filesystem::path process_size = "/proc/self/statm";
    ControlGroupFiles control_groups;
};

// In bytes; the maximum if no limit is known.
struct MemoryLimit {
    uint64_t free = UINT64_MAX;
    uint64_t total = UINT64_MAX;
    std::string scope;  // what the limit applies to: "the machine's memory"; empty if no limit is known
    std::string remedy = "stop other programs";

    // "12.0 of 2048.0 MiB of the machine's memory are free".
    std::string to_string() const;
};

// The smallest of: the machine's available memory, the limits of the process's control groups (cgroup v1 or v2; the
// page cache counts as free), and the limit on its address space.
MemoryLimit host_memory(const HostMemoryFiles& files, uint64_t address_space_limit);
MemoryLimit host_memory();

// For an out-of-memory message: the free memory and the remedy.
std::string host_memory_advice(const MemoryLimit& memory);

}  // namespace residual

#include "engine/core/host_memory.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <sstream>

namespace residual {

namespace {

namespace fs = std::filesystem;

// Lowers `memory` to this limit if it leaves less free.
void apply_limit(MemoryLimit& memory, uint64_t total, uint64_t used, const std::string& scope) {
    const uint64_t free = total > used ? total - used : 0;
    if (free < memory.free) memory = {free, total, scope, "raise this limit"};
}

// The number that follows the word `key` at the start of a line.
std::optional<uint64_t> number_of(const fs::path& path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string word;
        uint64_t number = 0;
        if (words >> word >> number && word == key) return number;
    }
    return std::nullopt;
}

// File names and keys of one cgroup version.
struct GroupFiles {
    const char *limit, *usage, *inactive_cache, *active_cache;
};
constexpr GroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
                               "total_active_file"};
constexpr GroupFiles kVersion2{"memory.max", "memory.current", "inactive_file", "active_file"};

void apply_group_limits(MemoryLimit& memory, const ControlGroupFiles& files) {
    for_each_control_group(files, "memory", [&](const fs::path& folder, int version) {
        const GroupFiles& names = version == 1 ? kVersion1 : kVersion2;
        const auto limit = number_in(folder / names.limit), usage = number_in(folder / names.usage);
        if (!limit || !usage) return;
        const fs::path statistics = folder / "memory.stat";
        const uint64_t cache = number_of(statistics, names.inactive_cache).value_or(0) +
                               number_of(statistics, names.active_cache).value_or(0);
        apply_limit(memory, *limit, *usage > cache ? *usage - cache : 0,
                    fmt::format("the control group's memory ({})", (folder / names.limit).string()));
    });
}

}  // namespace

std::string MemoryLimit::to_string() const {
    if (scope.empty()) return "the host is out of memory";
    return fmt::format("{:.1f} of {:.1f} MiB of {} are free", static_cast<double>(free) / 1048576.0,
                       static_cast<double>(total) / 1048576.0, scope);
}

MemoryLimit host_memory(const HostMemoryFiles& files, uint64_t address_space_limit) {
    MemoryLimit memory;
    const auto available = number_of(files.meminfo, "MemAvailable:"), total = number_of(files.meminfo, "MemTotal:");
    if (available && total) {
        memory.free = *available * 1024;  // /proc/meminfo is in KiB.
        memory.total = *total * 1024;
        memory.scope = "the machine's memory";
    }
    apply_group_limits(memory, files.control_groups);
    if (address_space_limit != RLIM_INFINITY) {
        const uint64_t pages = number_in(files.process_size).value_or(0);
        apply_limit(memory, address_space_limit, pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)),
                    "the process's address space (ulimit -v)");
    }
    return memory;
}

MemoryLimit host_memory() {
    rlimit address_space{};
    const bool limited = getrlimit(RLIMIT_AS, &address_space) == 0;
    return host_memory({}, limited ? address_space.rlim_cur : RLIM_INFINITY);
}

std::string host_memory_advice(const MemoryLimit& memory) {
    return memory.to_string() + ": " + memory.remedy;
}

}  // namespace residual

// Where Linux keeps the limits of the control groups (cgroup v1 or v2) that the process is in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace residual {

// Tests substitute their own.
struct ControlGroupFiles {
    std::filesystem::path process_groups = "/proc/self/cgroup";
    std::filesystem::path groups = "/sys/fs/cgroup";
};

// Calls visit(folder, version) for the process's group and each of its ancestors, in version 1 those of `controller`
// ("memory", "cpu"). A folder need not exist: a container may see only a part of the hierarchy.
void for_each_control_group(const ControlGroupFiles& files, const std::string& controller,
                            const std::function<void(const std::filesystem::path& folder, int version)>& visit);

// The number at the start of a file; none if there is no such file or it starts with something else, such as "max".
std::optional<uint64_t> number_in(const std::filesystem::path& path);

}  // namespace residual

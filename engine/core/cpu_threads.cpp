#include "engine/core/cpu_threads.h"

#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

namespace residual {

namespace {

namespace fs = std::filesystem;

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// Microseconds of CPU time per microseconds of a period; version 1 has -1 for none, version 2 "max".
double quota_in(const fs::path& folder, int version) {
    double time = 0, period = 0;
    if (version == 1) {
        std::ifstream(folder / "cpu.cfs_quota_us") >> time;
        std::ifstream(folder / "cpu.cfs_period_us") >> period;
    } else {
        std::ifstream(folder / "cpu.max") >> time >> period;
    }
    return time > 0 && period > 0 ? time / period : kNoQuota;
}

}  // namespace

CpuThreads available_threads(const ControlGroupFiles& files, int allowed, int cpus) {
    double quota = kNoQuota;
    for_each_control_group(
        files, "cpu", [&](const fs::path& folder, int version) { quota = std::min(quota, quota_in(folder, version)); });
    const std::string machine = fmt::format("{} CPU{}", cpus, cpus == 1 ? "" : "s");
    if (quota < allowed) {
        return {std::max(1, static_cast<int>(quota)),
                fmt::format("control group's quota of {:.4g} CPUs; {}", quota, machine)};
    }
    if (allowed < cpus) return {allowed, "affinity mask; " + machine};
    return {allowed, "all CPUs"};
}

CpuThreads set_cpu_threads() {
    const int current = omp_get_max_threads(), allowed = omp_get_num_procs();
    const char* variable = std::getenv("OMP_NUM_THREADS");
    if (variable != nullptr && std::atoi(variable) > 0) return {current, "OMP_NUM_THREADS"};
    const CpuThreads available = available_threads({}, allowed, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
    if (current != allowed && current != available.count) return {current, "omp_set_num_threads"};
    omp_set_num_threads(available.count);
    return available;
}

}  // namespace residual

// How many OpenMP threads the process may use: by itself OpenMP heeds the affinity mask, but not the CPU quota of a
// control group, and threads beyond the quota are suspended while the others wait for them.
#pragma once

#include <string>

#include "engine/core/control_groups.h"

namespace residual {

struct CpuThreads {
    int count;           // >= 1
    std::string reason;  // what sets it: "all CPUs", "affinity mask; 16 CPUs", "OMP_NUM_THREADS"
};

// One thread per CPU of the affinity mask (`allowed` of the machine's `cpus`), but at most the quota of the process's
// control groups (cgroup v1 or v2), rounded down.
CpuThreads available_threads(const ControlGroupFiles& files, int allowed, int cpus);

// Gives the calling thread's parallel regions that many threads, unless OMP_NUM_THREADS or a call of
// omp_set_num_threads() has set another number, which stays. May be called again.
CpuThreads set_cpu_threads();

}  // namespace residual

// cpu-peaks: the peak rates of this machine's CPU (see host_peaks.h), as one JSON line:
//
//     {"threads": 2, "fma_gflops": ..., "copy_gb_per_s": ...}
#include <fmt/format.h>
#include <omp.h>

#include "tools/bench/host_peaks.h"

int main() {
    fmt::print("{{\"threads\": {}, \"fma_gflops\": {:.1f}, \"copy_gb_per_s\": {:.1f}}}\n", omp_get_max_threads(),
               residual::tools::fma_gflops(), residual::tools::copy_gb_per_s());
}

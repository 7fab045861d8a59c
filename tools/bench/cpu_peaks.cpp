// cpu-peaks: the peak rates of this machine's CPU (see host_peaks.h), as one JSON line:
//
//     {"threads": 2, "fma_gflops": ..., "copy_gb_per_s": ...}
#include <fmt/format.h>
#include <omp.h>

#include "tools/bench/host_peaks.h"
#include "tools/programs/program.h"

int main(int argc, char** argv) {
    CLI::App app("Measures the peak rates of this CPU and prints them as JSON.", "cpu-peaks");
    return residual::tools::run_program(app, argc, argv, [] {
        fmt::print("{{\"threads\": {}, \"fma_gflops\": {:.1f}, \"copy_gb_per_s\": {:.1f}}}\n", omp_get_max_threads(),
                   residual::tools::fma_gflops(), residual::tools::copy_gb_per_s());
        return residual::tools::kDone;
    });
}

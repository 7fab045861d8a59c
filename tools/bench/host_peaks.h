// What a CPU can do at most, all OpenMP threads at once: a yardstick for its kernels. Both are the best of several
// rounds.
#pragma once

namespace residual::tools {

// float32 fused multiply-adds on registers, 1e9 operations a second, two for each multiply-add.
double fma_gflops();
// A copy between arrays larger than any cache, 1e9 bytes read and written a second.
double copy_gb_per_s();

}  // namespace residual::tools

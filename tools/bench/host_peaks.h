// Peak rates of the CPU with all OpenMP threads, the best of several rounds.
#pragma once

namespace residual::tools {

// float32 fused multiply-adds on registers, in 1e9 operations per second, two per multiply-add.
double fma_gflops();
// A copy between arrays larger than any cache: bytes read plus bytes written, in 1e9 per second.
double copy_gb_per_s();

}  // namespace residual::tools

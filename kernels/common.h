#pragma once

// Marks a function that both the host and the CUDA compiler build: the formulas in *_body.h. On the host it is always
// inlined, so that no two host targets (exec.h) share a copy of it.
#if defined(__CUDACC__)
#define RESIDUAL_HD __host__ __device__
#else
#define RESIDUAL_HD __attribute__((always_inline))
#endif

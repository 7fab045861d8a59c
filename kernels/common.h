#pragma once

// Marks a function that both the host and the CUDA compiler build: the formulas in *_body.h.
#if defined(__CUDACC__)
#define RESIDUAL_HD __host__ __device__
#else
#define RESIDUAL_HD
#endif

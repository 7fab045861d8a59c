#pragma once

// KERNELS_HD marks a function that both the host compiler and the CUDA compiler build: the formulas in *_body.h.
#if defined(__CUDACC__)
#define KERNELS_HD __host__ __device__
#else
#define KERNELS_HD
#endif

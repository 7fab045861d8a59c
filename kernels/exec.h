#pragma once

#include <stdexcept>

struct CUstream_st;  // what cudaStream_t points to; declared here so that no CUDA header is needed

namespace residual::kernels {

// Where a kernel runs, and the first argument of every function of the contract headers.

// The calling thread and the OpenMP threads below it. The function returns when the work is done.
struct Host {};

// An NVIDIA GPU: pointers are device memory and the function returns once its work is queued on the stream.
struct Cuda {
    CUstream_st* stream = nullptr;
};

// A kernel could not be queued; the message names the kernel, its grid and what the driver says.
struct LaunchError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace residual::kernels

#pragma once

#include <stdexcept>

struct CUstream_st;  // what cudaStream_t points to; declared here so that no CUDA header is needed

namespace residual::kernels {

// The execution target: the first argument of every kernel declared in kernels/*.h.

// The calling thread and its OpenMP threads; the function returns when the work is done. Host runs on every CPU of the
// architecture. The other host targets are the same kernels compiled for more instructions; host_targets.h tells which
// of them this CPU supports.
struct Host {};
#if defined(__x86_64__)
struct HostAvx2 {};
struct HostAvx512 {};
#endif

// An NVIDIA GPU: pointers are device memory; the function returns when its work is queued on the stream.
struct Cuda {
    CUstream_st* stream = nullptr;
};

// A kernel launch failed; the message has the kernel's name (CUDA 12.3 or newer), its grid and the CUDA error.
struct LaunchError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace residual::kernels

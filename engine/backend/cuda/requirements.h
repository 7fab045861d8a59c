// What the CUDA device requires of the GPU, of cuDNN and of the machine's set-up. The functions are pure and call no
// library, except to name an error.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

namespace residual::cuda {

// Why a GPU of this compute capability cannot be used, with the remedy; empty if it can. The kernels need asynchronous
// copies to shared memory and bfloat16 matrix products: compute capability 8.0.
std::string why_too_old(const std::string& gpu, int major, int minor);

// "9.19.0" for a value of CUDNN_VERSION or cudnnGetVersion().
std::string cudnn_version_text(size_t version);
// Why a program built with cuDNN `built` cannot use the library `loaded`, with the remedy; empty if it can: the major
// version is the same, and the library is not older.
std::string why_other_cudnn(size_t built, size_t loaded);

// Why the driver offers no GPU (cudaErrorNoDevice). `visible`: the value of CUDA_VISIBLE_DEVICES, null if it is not
// set.
std::string why_no_gpu(const char* visible);

// Why there is no GPU number `device` among the `count` >= 1 GPUs, with their numbers; empty if there is.
std::string why_no_such_gpu(int device, int count, const char* visible);

// What to do about an error whose cause is the set-up of the machine; empty for all other errors.
std::string set_up_advice(cudaError_t status);

// "cudaErrorName: description" and, after a semicolon, set_up_advice().
std::string error_text(cudaError_t status);

}  // namespace residual::cuda

// CUDA_CALL wraps every call of CUDA, cuDNN and cuBLAS and throws Error if it fails.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn_graph.h>

#include <source_location>
#include <string>

namespace residual::cuda {

using Place = std::source_location;

// Throw Error with the name of the called function, the library's message and the source line, if the call failed; if
// the GPU is out of memory, OutOfMemoryError with the free and total memory and the remedy. An error whose cause is the
// set-up of the machine has set_up_advice(). `call` is the source text of the call.
void check(cudaError_t status, const char* call, const Place& place = Place::current());
void check(cudnnStatus_t status, const char* call, const Place& place = Place::current());
void check(cublasStatus_t status, const char* call, const Place& place = Place::current());

// Whether cuDNN rejected the call before doing any work, so that another algorithm may be tried.
inline bool refused(cudnnStatus_t status) {
    const int category = CUDNN_STATUS_CATEGORY(status);
    return category == CUDNN_STATUS_NOT_SUPPORTED || category == CUDNN_STATUS_BAD_PARAM;
}

}  // namespace residual::cuda

#define CUDA_CALL(...) ::residual::cuda::check((__VA_ARGS__), #__VA_ARGS__)

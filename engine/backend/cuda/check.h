// Every call of CUDA, cuDNN and cuBLAS goes through CUDA_CALL, which throws Error where the call fails.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <source_location>
#include <string>

namespace residual::cuda {

using Place = std::source_location;

// Throws Error: the name of the called function, the library's own words, the source line; where the GPU's memory ran
// out, how much there is and the remedy as well. `call` is the call's text.
[[noreturn]] void fail(const std::string& call, const std::string& reason, const Place& place);

void check(cudaError_t status, const char* call, const Place& place = Place::current());
void check(cudnnStatus_t status, const char* call, const Place& place = Place::current());
void check(cublasStatus_t status, const char* call, const Place& place = Place::current());

// Whether cuDNN turned the call down before doing anything, so that another algorithm may be tried.
inline bool refused(cudnnStatus_t status) {
    const int category = CUDNN_STATUS_CATEGORY(status);
    return category == CUDNN_STATUS_NOT_SUPPORTED || category == CUDNN_STATUS_BAD_PARAM;
}

}  // namespace residual::cuda

#define CUDA_CALL(...) ::residual::cuda::check((__VA_ARGS__), #__VA_ARGS__)

#include "engine/backend/cuda/check.h"

#include <fmt/format.h>

#include <array>

#include "engine/backend/cuda/memory.h"
#include "engine/backend/cuda/requirements.h"
#include "engine/core/error.h"

namespace residual::cuda {

namespace {

// `advice`: what the user can do about it; may be empty.
[[noreturn]] void fail(const std::string& call, const std::string& name, const std::string& description,
                       bool out_of_memory, const std::string& advice, const Place& place) {
    const std::string failure = fmt::format("{} failed: {}: {} (at {}:{})", call.substr(0, call.find('(')), name,
                                            description, place.file_name(), place.line());
    if (out_of_memory) throw OutOfMemoryError(failure + "; " + memory_advice());
    throw Error(failure + (advice.empty() ? "" : "; ") + advice);
}

}  // namespace

void check(cudaError_t status, const char* call, const Place& place) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // otherwise the next launch would report it
    fail(call, cudaGetErrorName(status), cudaGetErrorString(status), status == cudaErrorMemoryAllocation,
         set_up_advice(status), place);
}

void check(cudnnStatus_t status, const char* call, const Place& place) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    std::array<char, 512> details{};
    cudnnGetLastErrorString(details.data(), details.size());
    fail(call, cudnnGetErrorString(status), details.data(),
         status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, "", place);
}

void check(cublasStatus_t status, const char* call, const Place& place) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    fail(call, cublasGetStatusName(status), cublasGetStatusString(status), status == CUBLAS_STATUS_ALLOC_FAILED, "",
         place);
}

}  // namespace residual::cuda

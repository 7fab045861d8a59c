#include "engine/backend/cuda/check.h"

#include <fmt/format.h>

#include <array>

#include "engine/backend/cuda/memory.h"
#include "engine/core/error.h"

namespace residual::cuda {

void fail(const std::string& call, const std::string& reason, const Place& place) {
    throw Error(fmt::format("{} failed: {} (at {}:{})", call.substr(0, call.find('(')), reason, place.file_name(),
                            place.line()));
}

namespace {

std::string reason(const std::string& name, const std::string& description, bool out_of_memory) {
    return name + ": " + description + (out_of_memory ? "; " + memory_advice() : "");
}

}  // namespace

void check(cudaError_t status, const char* call, const Place& place) {
    if (status == cudaSuccess) return;
    fail(call, reason(cudaGetErrorName(status), cudaGetErrorString(status), status == cudaErrorMemoryAllocation),
         place);
}

void check(cudnnStatus_t status, const char* call, const Place& place) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    std::array<char, 512> details{};
    cudnnGetLastErrorString(details.data(), details.size());
    fail(call,
         reason(cudnnGetErrorString(status), details.data(),
                status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED),
         place);
}

void check(cublasStatus_t status, const char* call, const Place& place) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    fail(call, reason(cublasGetStatusName(status), cublasGetStatusString(status), status == CUBLAS_STATUS_ALLOC_FAILED),
         place);
}

}  // namespace residual::cuda

#include "engine/backend/cuda/check.h"

#include <fmt/format.h>

#include <array>

#include "engine/core/error.h"

namespace engine::cuda {

void fail(const std::string& call, const std::string& reason, const Place& place) {
    throw Error(fmt::format("{} failed: {} (at {}:{})", call.substr(0, call.find('(')), reason, place.file_name(),
                            place.line()));
}

void check(cudaError_t status, const char* call, const Place& place) {
    if (status == cudaSuccess) return;
    fail(call, fmt::format("{}: {}", cudaGetErrorName(status), cudaGetErrorString(status)), place);
}

void check(cudnnStatus_t status, const char* call, const Place& place) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    std::array<char, 512> details{};
    cudnnGetLastErrorString(details.data(), details.size());
    fail(call, fmt::format("{}: {}", cudnnGetErrorString(status), details.data()), place);
}

void check(cublasStatus_t status, const char* call, const Place& place) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    fail(call, fmt::format("{}: {}", cublasGetStatusName(status), cublasGetStatusString(status)), place);
}

}  // namespace engine::cuda

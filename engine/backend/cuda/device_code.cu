#include "engine/backend/cuda/device_code.h"

namespace residual::cuda {

namespace {

// Never launched. Represents all kernels, which are built for the same architectures.
__global__ void probe() {}

}  // namespace

cudaError_t load_device_code() {
    cudaFuncAttributes attributes{};
    return cudaFuncGetAttributes(&attributes, probe);
}

std::string built_architectures() {
    std::string text;
    for (const int architecture : {__CUDA_ARCH_LIST__}) {
        if (!text.empty()) text += ", ";
        text += std::to_string(architecture / 100) + "." + std::to_string(architecture % 100 / 10);
    }
    return text;
}

}  // namespace residual::cuda

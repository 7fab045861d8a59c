// Detects whether this program can use a CUDA device, and creates the backend.
#include <cudnn_graph.h>
#include <fmt/format.h>

#include "engine/backend/backend.h"
#include "engine/backend/build_info.h"
#include "engine/backend/cuda/check.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/device_code.h"

namespace residual {

namespace {

std::string version_text(int version) {
    return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string error_text(cudaError_t status) {
    return fmt::format("{}: {}", cudaGetErrorName(status), cudaGetErrorString(status));
}

// cudaGetDeviceCount reports cudaErrorInsufficientDriver for a missing driver, too.
std::string why_no_device(cudaError_t status) {
    int driver = 0, runtime = 0;
    CUDA_CALL(cudaDriverGetVersion(&driver));
    CUDA_CALL(cudaRuntimeGetVersion(&runtime));
    if (driver == 0) return "no NVIDIA driver is installed (libcuda.so.1 was not found)";
    if (status == cudaErrorInsufficientDriver) {
        return fmt::format(
            "the NVIDIA driver is too old: it supports CUDA {}, this program was built with CUDA {}; update the driver",
            version_text(driver), version_text(runtime));
    }
    if (status == cudaErrorNoDevice) return "the driver finds no GPU (CUDA_VISIBLE_DEVICES may hide it)";
    return error_text(status);
}

std::string why_no_code(cudaError_t status) {
    cudaDeviceProp properties{};
    CUDA_CALL(cudaGetDeviceProperties(&properties, 0));
    if (status == cudaErrorNoKernelImageForDevice || status == cudaErrorInvalidDeviceFunction) {
        return fmt::format(
            "this program was not built for the GPU ({}, compute capability {}.{}), only for {}; configure the build "
            "with -DCMAKE_CUDA_ARCHITECTURES={}{}",
            properties.name, properties.major, properties.minor, cuda::built_architectures(), properties.major,
            properties.minor);
    }
    return fmt::format("the GPU ({}) cannot be initialised: {}", properties.name, error_text(status));
}

// Resets the runtime's last error, which the next launch would otherwise report.
cudaError_t cleared(cudaError_t status) {
    cudaGetLastError();
    return status;
}

}  // namespace

std::string cuda_version() {
    return version_text(CUDART_VERSION);
}

std::string cudnn_version() {
    const size_t version = cudnnGetVersion();
    return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::string why_no_cuda() {
    constexpr const char* kPrefix = "CUDA is unavailable: ";
    int devices = 0;
    const cudaError_t counted = cleared(cudaGetDeviceCount(&devices));
    if (counted != cudaSuccess) return kPrefix + why_no_device(counted);
    if (devices == 0) return kPrefix + why_no_device(cudaErrorNoDevice);
    const cudaError_t loaded = cleared(cuda::load_device_code());
    if (loaded != cudaSuccess) return kPrefix + why_no_code(loaded);
    return "";
}

std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options) {
    if (const std::string reason = why_no_cuda(); !reason.empty()) throw InputError(reason);
    CUDA_CALL(cudaSetDevice(0));
    return std::make_unique<CudaBackend>(options);
}

}  // namespace residual

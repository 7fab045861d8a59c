// Detects whether this program can use a CUDA device, and creates the backend.
#include <cudnn_graph.h>
#include <fmt/format.h>

#include <cstdlib>

#include "engine/backend/backend.h"
#include "engine/backend/build_info.h"
#include "engine/backend/cuda/check.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/device_code.h"
#include "engine/backend/cuda/requirements.h"

namespace residual {

namespace {

std::string version_text(int version) {
    return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

const char* visible_devices() {
    return std::getenv("CUDA_VISIBLE_DEVICES");
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
    if (status == cudaErrorNoDevice) return cuda::why_no_gpu(visible_devices());
    return cuda::error_text(status);
}

// `status`: of creating a context on the GPU or of loading a kernel there.
std::string why_no_start(const cudaDeviceProp& properties, cudaError_t status) {
    if (status == cudaErrorNoKernelImageForDevice || status == cudaErrorInvalidDeviceFunction) {
        return fmt::format(
            "this program was not built for the GPU ({}, compute capability {}.{}), only for {}; configure the build "
            "with -DCMAKE_CUDA_ARCHITECTURES={}{}",
            properties.name, properties.major, properties.minor, cuda::built_architectures(), properties.major,
            properties.minor);
    }
    return fmt::format("the GPU ({}) cannot be initialised: {}", properties.name, cuda::error_text(status));
}

// Resets the runtime's last error, which the next launch would otherwise report.
cudaError_t cleared(cudaError_t status) {
    cudaGetLastError();
    return status;
}

// Creates the context on the GPU, the first step that fails if another process holds it, and makes it the current
// device of this thread.
std::string why_unusable(int device) {
    int devices = 0;
    const cudaError_t counted = cleared(cudaGetDeviceCount(&devices));
    if (counted != cudaSuccess) return why_no_device(counted);
    if (devices == 0) return why_no_device(cudaErrorNoDevice);
    std::string reason = cuda::why_no_such_gpu(device, devices, visible_devices());
    if (!reason.empty()) return reason;
    cudaDeviceProp properties{};
    CUDA_CALL(cudaGetDeviceProperties(&properties, device));
    reason = cuda::why_too_old(properties.name, properties.major, properties.minor);
    if (reason.empty()) reason = cuda::why_other_cudnn(CUDNN_VERSION, cudnnGetVersion());
    if (!reason.empty()) return reason;
    cudaError_t started = cleared(cudaSetDevice(device));
    if (started == cudaSuccess) started = cleared(cuda::load_device_code());
    return started == cudaSuccess ? "" : why_no_start(properties, started);
}

}  // namespace

std::string cuda_version() {
    return version_text(CUDART_VERSION);
}

std::string cudnn_version() {
    return cuda::cudnn_version_text(cudnnGetVersion());
}

std::string why_no_cuda(int device) {
    const std::string reason = why_unusable(device);
    return reason.empty() ? "" : "CUDA is unavailable: " + reason;
}

std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options) {
    if (const std::string reason = why_no_cuda(options.device); !reason.empty()) throw InputError(reason);
    return std::make_unique<CudaBackend>(options);
}

}  // namespace residual

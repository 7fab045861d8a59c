// The CUDA runtime's functions for devices, kernels and errors.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "tests/emulator/device_limits.h"
#include "tests/emulator/failure.h"
#include "tests/emulator/last_error.h"
#include "tests/emulator/memory.h"
#include "tests/emulator/text.h"

namespace emulator {

namespace {

// Each host thread has its own.
thread_local cudaError_t last_error = cudaSuccess;
thread_local int current_device = 0;

bool is_device(int device) {
    return device >= 0 && device < device_count();
}

std::map<const void*, int>& shared_limits() {
    static auto& limits = *new std::map<const void*, int>;
    return limits;
}

struct ErrorText {
    cudaError_t error;
    const char *name, *description;
};

#define ERROR_TEXT(error, description) \
    { error, #error, description }
constexpr ErrorText kErrors[] = {
    ERROR_TEXT(cudaSuccess, "no error"),
    ERROR_TEXT(cudaErrorInvalidValue, "invalid argument"),
    ERROR_TEXT(cudaErrorMemoryAllocation, "out of memory"),
    ERROR_TEXT(cudaErrorDevicesUnavailable, "CUDA-capable device(s) is/are busy or unavailable"),
    ERROR_TEXT(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    ERROR_TEXT(cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device"),
    ERROR_TEXT(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    ERROR_TEXT(cudaErrorSystemNotReady, "system not yet initialized"),
    ERROR_TEXT(cudaErrorSystemDriverMismatch, "system has unsupported display driver / cuda driver combination"),
    ERROR_TEXT(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    ERROR_TEXT(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    ERROR_TEXT(cudaErrorInvalidDeviceFunction, "invalid device function"),
    ERROR_TEXT(cudaErrorInvalidDevice, "invalid device ordinal"),
    ERROR_TEXT(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    ERROR_TEXT(cudaErrorNotReady, "device not ready"),
    ERROR_TEXT(cudaErrorNotSupported, "operation not supported"),
    ERROR_TEXT(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    ERROR_TEXT(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    ERROR_TEXT(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"),
    ERROR_TEXT(cudaErrorStreamCaptureImplicit,
               "operation would make the legacy stream depend on a capturing blocking "
               "stream"),
};
#undef ERROR_TEXT

const ErrorText* text_of(cudaError_t error) {
    for (const ErrorText& known : kErrors) {
        if (known.error == error) return &known;
    }
    return nullptr;
}

}  // namespace

cudaError_t remember(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

size_t memory_bytes() {
    const char* text = std::getenv("EMULATOR_MEMORY");
    return text == nullptr ? kMemoryBytes : std::strtoull(text, nullptr, 10);
}

int opt_in_shared_bytes() {
    const char* text = std::getenv("EMULATOR_SHARED_MEMORY");
    return text == nullptr ? kOptInSharedBytes : std::atoi(text);
}

int device_count() {
    const char* text = std::getenv("EMULATOR_DEVICES");
    return text == nullptr ? 1 : std::atoi(text);
}

int compute_capability() {
    const char* text = std::getenv("EMULATOR_CAPABILITY");
    return text == nullptr ? 90 : std::atoi(text);
}

int shared_limit_of(const void* kernel) {
    const auto found = shared_limits().find(kernel);
    return found == shared_limits().end() ? kDefaultSharedBytes : found->second;
}

}  // namespace emulator

using namespace emulator;

#if defined(__SANITIZE_ADDRESS__)
// The detection would need a second stack of several megabytes per fiber.
extern "C" const char* __asan_default_options() {
    return "detect_stack_use_after_return=0";
}
#endif

const char* cudaGetErrorName(cudaError_t error) {
    const ErrorText* known = text_of(error);
    return known == nullptr ? "an error that the emulator never returns" : known->name;
}

const char* cudaGetErrorString(cudaError_t error) {
    const ErrorText* known = text_of(error);
    return known == nullptr ? "an error that the emulator never returns" : known->description;
}

cudaError_t cudaGetLastError() {
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError() {
    return last_error;
}

cudaError_t cudaGetDeviceCount(int* count) {
    if (const cudaError_t failure = requested_failure(__func__); failure != cudaSuccess) return failure;
    *count = device_count();
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    if (const cudaError_t failure = requested_failure(__func__); failure != cudaSuccess) return failure;
    if (!is_device(device)) return remember(cudaErrorInvalidDevice);
    current_device = device;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
    *device = current_device;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

// Sets the fields that the emulator enforces or has a limit for; the rest is zero.
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    if (!is_device(device)) return remember(cudaErrorInvalidDevice);
    *properties = {};
    std::snprintf(properties->name, sizeof properties->name, "Emulated GPU %d", device);
    properties->major = compute_capability() / 10;
    properties->minor = compute_capability() % 10;
    properties->totalGlobalMem = memory_bytes();
    properties->multiProcessorCount = kMultiprocessors;
    properties->warpSize = 32;
    properties->maxThreadsPerBlock = kMaxThreads;
    properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = kMaxThreads;
    properties->maxThreadsDim[2] = kMaxBlockDepth;
    properties->maxGridSize[0] = kMaxGridWidth;
    properties->maxGridSize[1] = properties->maxGridSize[2] = kMaxGridHeight;
    properties->sharedMemPerBlock = kDefaultSharedBytes;
    properties->sharedMemPerBlockOptin = static_cast<size_t>(opt_in_shared_bytes());
    properties->sharedMemPerMultiprocessor = kSharedBytesPerMultiprocessor;
    properties->reservedSharedMemPerBlock = kReservedSharedBytes;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    if (!is_device(device)) return remember(cudaErrorInvalidDevice);
    switch (attribute) {
        case cudaDevAttrMultiProcessorCount:
            *value = kMultiprocessors;
            return cudaSuccess;
        case cudaDevAttrMaxThreadsPerBlock:
            *value = kMaxThreads;
            return cudaSuccess;
        case cudaDevAttrMaxSharedMemoryPerBlock:
            *value = kDefaultSharedBytes;
            return cudaSuccess;
        case cudaDevAttrMaxSharedMemoryPerBlockOptin:
            *value = opt_in_shared_bytes();
            return cudaSuccess;
        case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
            *value = kSharedBytesPerMultiprocessor;
            return cudaSuccess;
        case cudaDevAttrReservedSharedMemoryPerBlock:
            *value = kReservedSharedBytes;
            return cudaSuccess;
        case cudaDevAttrComputeCapabilityMajor:
            *value = compute_capability() / 10;
            return cudaSuccess;
        case cudaDevAttrComputeCapabilityMinor:
            *value = compute_capability() % 10;
            return cudaSuccess;
        case cudaDevAttrWarpSize:
            *value = 32;
            return cudaSuccess;
        default:
            return remember(cudaErrorNotSupported);
    }
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
    if (const cudaError_t failure = requested_failure(__func__); failure != cudaSuccess) return failure;
    if (function == nullptr) return remember(cudaErrorInvalidDeviceFunction);
    *attributes = {};
    attributes->maxThreadsPerBlock = kMaxThreads;
    attributes->maxDynamicSharedSizeBytes = shared_limit_of(function);
    attributes->binaryVersion = 90;
    attributes->ptxVersion = 90;
    return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
    if (function == nullptr) return remember(cudaErrorInvalidDeviceFunction);
    switch (attribute) {
        case cudaFuncAttributeMaxDynamicSharedMemorySize:
            if (value < 0 || value > opt_in_shared_bytes()) return remember(cudaErrorInvalidValue);
            shared_limits()[function] = value;
            return cudaSuccess;
        case cudaFuncAttributePreferredSharedMemoryCarveout:
            return remember(value < -1 || value > 100 ? cudaErrorInvalidValue : cudaSuccess);
        default:
            return remember(cudaErrorInvalidValue);
    }
}

#if CUDART_VERSION >= 12030
cudaError_t cudaFuncGetName(const char** name, const void* function) {
    *name = linker_name(function);
    return remember(*name == nullptr ? cudaErrorInvalidDeviceFunction : cudaSuccess);
}
#endif

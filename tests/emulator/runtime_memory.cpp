// The CUDA runtime's functions for memory. Every pointer is checked against the live allocations.
#include <cuda_runtime.h>

#include <cstring>

#include "tests/emulator/device_limits.h"
#include "tests/emulator/last_error.h"
#include "tests/emulator/memory.h"
#include "tests/emulator/stream.h"

using namespace emulator;

namespace {

bool pinned(const void* pointer, size_t bytes) {
    return Memory::instance().holds(pointer, bytes, Owner::kPinnedHost);
}

struct Direction {
    bool from_device, to_device;
};

// Sets the direction of the copy, or returns the error that refuses it.
cudaError_t check_copy(const void* target, const void* source, size_t bytes, cudaMemcpyKind kind,
                       Direction& direction) {
    const Memory& memory = Memory::instance();
    switch (kind) {
        case cudaMemcpyHostToHost:
            direction = {false, false};
            break;
        case cudaMemcpyHostToDevice:
            direction = {false, true};
            break;
        case cudaMemcpyDeviceToHost:
            direction = {true, false};
            break;
        case cudaMemcpyDeviceToDevice:
            direction = {true, true};
            break;
        case cudaMemcpyDefault:
            direction = {memory.is_device(source), memory.is_device(target)};
            break;
        default:
            return cudaErrorInvalidMemcpyDirection;
    }
    const auto fits = [&](const void* pointer, bool device) {
        return device ? device_holds(pointer, bytes) : pointer != nullptr && !memory.is_device(pointer);
    };
    return fits(source, direction.from_device) && fits(target, direction.to_device) ? cudaSuccess
                                                                                    : cudaErrorInvalidValue;
}

cudaError_t copy(void* target, const void* source, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    if (!is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    if (bytes == 0) return cudaSuccess;
    Direction direction{};
    if (const cudaError_t error = check_copy(target, source, bytes, kind, direction); error != cudaSuccess) {
        return remember(error);
    }
    const bool pageable =
        (!direction.from_device && !pinned(source, bytes)) || (!direction.to_device && !pinned(target, bytes));
    if (pageable && is_capturing(stream)) {
        invalidate_capture(stream);
        return remember(cudaErrorStreamCaptureUnsupported);
    }
    return remember(submit(stream, {Kind::kMemcpy, "cudaMemcpy", [=] { std::memmove(target, source, bytes); }}));
}

cudaError_t fill(void* target, int value, size_t bytes, cudaStream_t stream) {
    if (!is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    if (bytes == 0) return cudaSuccess;
    if (!device_holds(target, bytes) && !pinned(target, bytes)) return remember(cudaErrorInvalidValue);
    return remember(submit(stream, {Kind::kMemset, "cudaMemset", [=] { std::memset(target, value, bytes); }}));
}

size_t free_bytes() {
    const size_t used = Memory::instance().bytes_in_use();
    return memory_bytes() > used ? memory_bytes() - used : 0;
}

cudaError_t allocate(void** pointer, size_t bytes, Owner owner) {
    if (pointer == nullptr) return remember(cudaErrorInvalidValue);
    if (calls_are_restricted()) return remember(cudaErrorStreamCaptureUnsupported);
    *pointer = nullptr;
    if (bytes == 0) return cudaSuccess;
    if (bytes > free_bytes()) return remember(cudaErrorMemoryAllocation);
    *pointer = Memory::instance().allocate(bytes, owner);
    return cudaSuccess;
}

cudaError_t release(void* pointer, Owner owner) {
    if (pointer == nullptr) return cudaSuccess;
    if (calls_are_restricted()) return remember(cudaErrorStreamCaptureUnsupported);
    return remember(Memory::instance().release(pointer, owner) ? cudaSuccess : cudaErrorInvalidValue);
}

}  // namespace

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
    return allocate(pointer, bytes, Owner::kDevice);
}

cudaError_t cudaFree(void* pointer) {
    return release(pointer, Owner::kDevice);
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
    return allocate(pointer, bytes, Owner::kPinnedHost);
}

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned flags) {
    if (flags != cudaHostAllocDefault && flags != cudaHostAllocPortable) return remember(cudaErrorNotSupported);
    return allocate(pointer, bytes, Owner::kPinnedHost);
}

cudaError_t cudaFreeHost(void* pointer) {
    return release(pointer, Owner::kPinnedHost);
}

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
    *total_bytes = memory_bytes();
    *free_bytes = ::free_bytes();
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    return copy(target, source, bytes, kind, stream);
}

cudaError_t cudaMemcpy(void* target, const void* source, size_t bytes, cudaMemcpyKind kind) {
    if (calls_are_restricted()) return remember(cudaErrorStreamCaptureUnsupported);
    return copy(target, source, bytes, kind, nullptr);
}

cudaError_t cudaMemsetAsync(void* target, int value, size_t bytes, cudaStream_t stream) {
    return fill(target, value, bytes, stream);
}

cudaError_t cudaMemset(void* target, int value, size_t bytes) {
    if (calls_are_restricted()) return remember(cudaErrorStreamCaptureUnsupported);
    return fill(target, value, bytes, nullptr);
}

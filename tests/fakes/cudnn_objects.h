// cuDNN's handles and descriptors, and how a cuDNN call returns its status.
#pragma once

#include <cudnn_graph.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/fakes/arrays.h"
#include "tests/fakes/device.h"
#include "tests/fakes/registry.h"

struct cudnnContext {
    cudaStream_t stream = nullptr;
};

namespace fakes {

// The values of an attribute, as the caller gave them.
struct Attribute {
    cudnnBackendAttributeType_t type;
    int64_t count;
    std::vector<std::byte> bytes;
};

struct CudnnDescriptor {
    cudnnBackendDescriptorType_t type = CUDNN_BACKEND_TENSOR_DESCRIPTOR;
    bool finalized = false;
    std::map<cudnnBackendAttributeName_t, Attribute> attributes;
};

Registry<cudnnContext>& cudnn_handles();
Registry<CudnnDescriptor>& cudnn_descriptors();

using CudnnRefusal = Refusal<cudnnStatus_t>;

[[noreturn]] inline void refuse(cudnnStatus_t status, const std::string& reason) {
    throw CudnnRefusal{status, reason};
}
inline void require(bool condition, cudnnStatus_t status, const std::string& reason) {
    if (!condition) refuse(status, reason);
}
inline void require_pointer(const void* pointer, const char* name) {
    require(pointer != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER, std::string(name) + " is null");
}

// The live object behind a pointer. Refuses a null pointer; throws Misuse for a destroyed object.
cudnnContext& cudnn_at(cudnnHandle_t handle);
CudnnDescriptor& descriptor_at(cudnnBackendDescriptor_t descriptor);
// A live and finalised descriptor of the type; `name` is for the message.
const CudnnDescriptor& finalized_at(cudnnBackendDescriptor_t descriptor, cudnnBackendDescriptorType_t type,
                                    const char* name);

// Bytes of one value.
size_t size_of(cudnnBackendAttributeType_t type);

// The values of an attribute; refuses one that is missing or has another type.
const Attribute& attribute_of(const CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name,
                              cudnnBackendAttributeType_t type);
template <class T>
std::vector<T> values_of(const CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name,
                         cudnnBackendAttributeType_t type) {
    const Attribute& attribute = attribute_of(descriptor, name, type);
    std::vector<T> values(attribute.count);
    std::memcpy(values.data(), attribute.bytes.data(), attribute.bytes.size());
    return values;
}
template <class T>
T value_of(const CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) {
    const std::vector<T> values = values_of<T>(descriptor, name, type);
    require(values.size() == 1, CUDNN_STATUS_BAD_PARAM, "an attribute has more than one value");
    return values[0];
}
inline bool has(const CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name) {
    return descriptor.attributes.count(name) > 0;
}
// A finalised descriptor in an attribute.
const CudnnDescriptor& part_of(const CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name,
                               cudnnBackendDescriptorType_t type);

// Sets an attribute whose values the library computes.
template <class T>
void set_values(CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                const std::vector<T>& values) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(values.data());
    descriptor.attributes[name] = {
        type, static_cast<int64_t>(values.size()), {bytes, bytes + sizeof(T) * values.size()}};
}

// The handle's stream; throws Misuse if it was destroyed.
cudaStream_t live_stream(const cudnnContext& handle);
// Requires a pointer aligned to 16 bytes and an array in device memory.
void require_array(const DeviceArray& array);

// Stores the reason of a refusal and returns its status.
cudnnStatus_t refused_call(const char* call, const CudnnRefusal& refusal);

// Runs the body of a cuDNN function: CUDNN_STATUS_SUCCESS, or the status of the check that refused the call.
template <class Body>
cudnnStatus_t status_of(const char* call, Body body) {
    try {
        body();
        return CUDNN_STATUS_SUCCESS;
    } catch (const CudnnRefusal& refusal) {
        return refused_call(call, refusal);
    }
}

}  // namespace fakes

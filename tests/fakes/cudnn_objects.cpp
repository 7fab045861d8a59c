// cuDNN's handles and descriptors.
#include "tests/fakes/cudnn_objects.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "tests/fakes/cudnn_engines.h"
#include "tests/fakes/cudnn_graph.h"

namespace fakes {
namespace {

template <class T>
Registry<T>& registry_of(const char* kind) {
    static auto* const registry = new Registry<T>(kind);
    require_at_exit([] { return registry->leaked(); });
    return *registry;
}

std::string& last_error() {
    static auto* const text = new std::string;
    return *text;
}

void finalize(CudnnDescriptor& descriptor) {
    switch (descriptor.type) {
        case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
            tensor_of(descriptor);
            break;
        case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
            window_of(descriptor);
            break;
        case CUDNN_BACKEND_POINTWISE_DESCRIPTOR:
            pointwise_mode_of(descriptor);
            break;
        case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
            graph_of(descriptor);
            break;
        case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
            finalize_heuristic(descriptor);
            break;
        case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
            finalize_plan(descriptor);
            break;
        case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
            operands_of(descriptor);
            break;
        default:
            operation_of(descriptor);
    }
}

}  // namespace

Registry<cudnnContext>& cudnn_handles() {
    return registry_of<cudnnContext>("cuDNN handle");
}
Registry<CudnnDescriptor>& cudnn_descriptors() {
    return registry_of<CudnnDescriptor>("cuDNN descriptor");
}

cudnnContext& cudnn_at(cudnnHandle_t handle) {
    require_pointer(handle, "the cuDNN handle");
    return cudnn_handles().at(handle);
}
CudnnDescriptor& descriptor_at(cudnnBackendDescriptor_t descriptor) {
    require_pointer(descriptor, "the descriptor");
    return cudnn_descriptors().at(static_cast<CudnnDescriptor*>(descriptor));
}
const CudnnDescriptor& finalized_at(cudnnBackendDescriptor_t descriptor, cudnnBackendDescriptorType_t type,
                                    const char* name) {
    const CudnnDescriptor& found = descriptor_at(descriptor);
    require(found.type == type, CUDNN_STATUS_BAD_PARAM, std::string(name) + " is a descriptor of another type");
    require(found.finalized, CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, std::string(name) + " is not finalised");
    return found;
}

size_t size_of(cudnnBackendAttributeType_t type) {
    switch (type) {
        case CUDNN_TYPE_CHAR:
        case CUDNN_TYPE_BOOLEAN:
            return 1;
        case CUDNN_TYPE_HANDLE:
        case CUDNN_TYPE_INT64:
        case CUDNN_TYPE_DOUBLE:
        case CUDNN_TYPE_VOID_PTR:
        case CUDNN_TYPE_BACKEND_DESCRIPTOR:
            return 8;
        default:
            return 4;
    }
}

const Attribute& attribute_of(const CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name,
                              cudnnBackendAttributeType_t type) {
    const auto found = descriptor.attributes.find(name);
    require(found != descriptor.attributes.end(), CUDNN_STATUS_BAD_PARAM,
            "attribute " + std::to_string(name) + " is missing");
    require(found->second.type == type, CUDNN_STATUS_BAD_PARAM,
            "attribute " + std::to_string(name) + " has another type");
    return found->second;
}

const CudnnDescriptor& part_of(const CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name,
                               cudnnBackendDescriptorType_t type) {
    return finalized_at(value_of<cudnnBackendDescriptor_t>(descriptor, name, CUDNN_TYPE_BACKEND_DESCRIPTOR), type,
                        ("attribute " + std::to_string(name)).c_str());
}

cudaStream_t live_stream(const cudnnContext& handle) {
    require_live(handle.stream, "the cuDNN handle");
    return handle.stream;
}

void require_array(const DeviceArray& array) {
    require_pointer(array.pointer, array.name);
    require(reinterpret_cast<uintptr_t>(array.pointer) % 16 == 0, CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER,
            std::string(array.name) + " is not aligned to 16 bytes");
    require_on_device(array);
}

cudnnStatus_t refused_call(const char* call, const CudnnRefusal& refusal) {
    last_error() = std::string(call) + ": " + refusal.reason;
    if (CUDNN_STATUS_CATEGORY(refusal.status) != CUDNN_STATUS_NOT_SUPPORTED) remember_wrong_argument(last_error());
    return refusal.status;
}

}  // namespace fakes

using namespace fakes;

size_t cudnnGetVersion() {
    return CUDNN_VERSION;
}

const char* cudnnGetErrorString(cudnnStatus_t status) {
    switch (CUDNN_STATUS_CATEGORY(status)) {
        case CUDNN_STATUS_SUCCESS:
            return "CUDNN_STATUS_SUCCESS";
        case CUDNN_STATUS_BAD_PARAM:
            return "CUDNN_STATUS_BAD_PARAM";
        case CUDNN_STATUS_NOT_SUPPORTED:
            return "CUDNN_STATUS_NOT_SUPPORTED";
        case CUDNN_STATUS_EXECUTION_FAILED:
            return "CUDNN_STATUS_EXECUTION_FAILED";
        default:
            return "another CUDNN_STATUS";
    }
}

void cudnnGetLastErrorString(char* message, size_t size) {
    std::snprintf(message, size, "%s", last_error().c_str());
    last_error().clear();
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
    return status_of(__func__, [&] {
        require_pointer(handle, "the pointer to the new handle");
        *handle = cudnn_handles().create();
    });
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
    return status_of(__func__, [&] {
        require_pointer(handle, "the handle to destroy");
        cudnn_handles().destroy(handle);
    });
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    return status_of(__func__, [&] {
        require_live(stream, "cudnnSetStream");
        cudnn_at(handle).stream = stream;
    });
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
    return status_of(__func__, [&] {
        require_pointer(descriptor, "the pointer to the new descriptor");
        CudnnDescriptor* const created = cudnn_descriptors().create();
        created->type = type;
        *descriptor = created;
    });
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
    return status_of(__func__, [&] {
        require_pointer(descriptor, "the descriptor to destroy");
        cudnn_descriptors().destroy(static_cast<CudnnDescriptor*>(descriptor));
    });
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count, const void* values) {
    return status_of(__func__, [&] {
        CudnnDescriptor& to = descriptor_at(descriptor);
        require(!to.finalized, CUDNN_STATUS_NOT_INITIALIZED, "the descriptor is finalised already");
        require(count > 0, CUDNN_STATUS_BAD_PARAM, "an attribute without values");
        require_pointer(values, "the values of the attribute");
        if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
            for (int64_t i = 0; i < count; ++i) {
                const CudnnDescriptor& part = descriptor_at(static_cast<const cudnnBackendDescriptor_t*>(values)[i]);
                require(part.finalized, CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a part is not finalised");
            }
        }
        const auto* const bytes = static_cast<const std::byte*>(values);
        to.attributes[name] = {type, count, {bytes, bytes + size_of(type) * size_t(count)}};
    });
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
    return status_of(__func__, [&] {
        CudnnDescriptor& found = descriptor_at(descriptor);
        finalize(found);
        found.finalized = true;
    });
}

// Descriptors are copied into those that the caller has created; other values into its array. A count of zero asks how
// many values there are.
cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count, int64_t* filled, void* values) {
    return status_of(__func__, [&] {
        const CudnnDescriptor& from = descriptor_at(descriptor);
        require(from.finalized, CUDNN_STATUS_NOT_INITIALIZED, "the descriptor is not finalised");
        require_pointer(filled, "the pointer to the count");
        const Attribute& attribute = attribute_of(from, name, type);
        if (count == 0) {
            *filled = attribute.count;
            return;
        }
        *filled = std::min(count, attribute.count);
        if (type != CUDNN_TYPE_BACKEND_DESCRIPTOR) {
            std::memcpy(values, attribute.bytes.data(), size_of(type) * size_t(*filled));
            return;
        }
        for (int64_t i = 0; i < *filled; ++i) {
            cudnnBackendDescriptor_t part;
            std::memcpy(&part, attribute.bytes.data() + sizeof part * size_t(i), sizeof part);
            CudnnDescriptor& to = descriptor_at(static_cast<cudnnBackendDescriptor_t*>(values)[i]);
            require(to.type == descriptor_at(part).type, CUDNN_STATUS_BAD_PARAM, "a descriptor of another type");
            to = descriptor_at(part);
        }
    });
}

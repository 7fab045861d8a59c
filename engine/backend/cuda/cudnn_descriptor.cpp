#include "engine/backend/cuda/cudnn_descriptor.h"

#include <cstddef>

namespace residual::cuda {

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t descriptor = nullptr;
    CUDA_CALL(cudnnBackendCreateDescriptor(type, &descriptor));
    descriptor_.reset(descriptor);
}

void Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    const cudnnBackendDescriptor_t descriptor = value.get();
    set_values(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &descriptor);
}

void Descriptor::set(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& values) {
    std::vector<cudnnBackendDescriptor_t> descriptors;
    for (const Descriptor& value : values) descriptors.push_back(value.get());
    set_values(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, descriptors.size(), descriptors.data());
}

void Descriptor::finalize() {
    CUDA_CALL(cudnnBackendFinalize(get()));
}

std::vector<Descriptor> Descriptor::descriptors(cudnnBackendAttributeName_t name,
                                                cudnnBackendDescriptorType_t type) const {
    std::vector<Descriptor> result;
    std::vector<cudnnBackendDescriptor_t> pointers;
    for (size_t i = count(name, CUDNN_TYPE_BACKEND_DESCRIPTOR); i > 0; --i) {
        pointers.push_back(result.emplace_back(type).get());
    }
    const size_t filled = get_values(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, pointers.size(), pointers.data());
    result.erase(result.begin() + static_cast<std::ptrdiff_t>(filled), result.end());
    return result;
}

void Descriptor::set_values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, size_t count,
                            const void* values) {
    CUDA_CALL(cudnnBackendSetAttribute(get(), name, type, static_cast<int64_t>(count), values));
}

size_t Descriptor::count(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const {
    int64_t count = 0;
    CUDA_CALL(cudnnBackendGetAttribute(get(), name, type, 0, &count, nullptr));
    return static_cast<size_t>(count);
}

size_t Descriptor::get_values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, size_t count,
                              void* values) const {
    int64_t filled = 0;
    CUDA_CALL(cudnnBackendGetAttribute(get(), name, type, static_cast<int64_t>(count), &filled, values));
    return static_cast<size_t>(filled);
}

}  // namespace residual::cuda

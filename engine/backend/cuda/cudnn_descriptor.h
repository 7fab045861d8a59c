// A descriptor of cuDNN's graph API (cudnn_graph.h): an object whose attributes are set one by one and then finalised.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <vector>

#include "engine/backend/cuda/check.h"
#include "engine/core/error.h"

namespace residual::cuda {

// The type of an attribute, by the C++ type of its values.
constexpr cudnnBackendAttributeType_t attribute_type(bool) {
    return CUDNN_TYPE_BOOLEAN;
}
constexpr cudnnBackendAttributeType_t attribute_type(char) {
    return CUDNN_TYPE_CHAR;
}
constexpr cudnnBackendAttributeType_t attribute_type(int64_t) {
    return CUDNN_TYPE_INT64;
}
constexpr cudnnBackendAttributeType_t attribute_type(float) {
    return CUDNN_TYPE_FLOAT;
}
constexpr cudnnBackendAttributeType_t attribute_type(void*) {
    return CUDNN_TYPE_VOID_PTR;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnHandle_t) {
    return CUDNN_TYPE_HANDLE;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnDataType_t) {
    return CUDNN_TYPE_DATA_TYPE;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnConvolutionMode_t) {
    return CUDNN_TYPE_CONVOLUTION_MODE;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnPointwiseMode_t) {
    return CUDNN_TYPE_POINTWISE_MODE;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnBackendNormMode_t) {
    return CUDNN_TYPE_NORM_MODE;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnBackendNormFwdPhase_t) {
    return CUDNN_TYPE_NORM_FWD_PHASE;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnBackendHeurMode_t) {
    return CUDNN_TYPE_HEUR_MODE;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnBackendKnobType_t) {
    return CUDNN_TYPE_KNOB_TYPE;
}
constexpr cudnnBackendAttributeType_t attribute_type(cudnnBackendNumericalNote_t) {
    return CUDNN_TYPE_NUMERICAL_NOTE;
}

class Descriptor {
  public:
    explicit Descriptor(cudnnBackendDescriptorType_t type);

    template <class T>
    void set(cudnnBackendAttributeName_t name, std::initializer_list<T> values) {
        set_values(name, attribute_type(T{}), values.size(), values.begin());
    }
    template <class T>
    void set(cudnnBackendAttributeName_t name, T value) {
        set(name, {value});
    }
    template <class T>
    void set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
        set_values(name, attribute_type(T{}), values.size(), values.data());
    }
    // `value` must be finalised, and stay alive as long as this descriptor.
    void set(cudnnBackendAttributeName_t name, const Descriptor& value);
    void set(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& values);

    // The status of finalising, for callers that have an alternative if cuDNN does not support the content.
    [[nodiscard]] cudnnStatus_t try_finalize() { return cudnnBackendFinalize(get()); }
    void finalize();

    // The values of an attribute of a finalised descriptor.
    template <class T>
    std::vector<T> values(cudnnBackendAttributeName_t name) const {
        std::vector<T> result(count(name, attribute_type(T{})));
        result.resize(get_values(name, attribute_type(T{}), result.size(), result.data()));
        return result;
    }
    template <class T>
    T value(cudnnBackendAttributeName_t name) const {
        T result{};
        RESIDUAL_ASSERT(get_values(name, attribute_type(T{}), 1, &result) == 1);
        return result;
    }
    // Descriptors of type `type` in an attribute.
    std::vector<Descriptor> descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type) const;

    cudnnBackendDescriptor_t get() const { return descriptor_.get(); }

  private:
    void set_values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, size_t count,
                    const void* values);
    size_t count(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const;
    // Returns how many values were written; heuristics may return fewer than their count.
    size_t get_values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, size_t count,
                      void* values) const;

    struct Destroy {
        void operator()(cudnnBackendDescriptor_t descriptor) const noexcept {
            cudnnBackendDestroyDescriptor(descriptor);
        }
    };
    std::unique_ptr<void, Destroy> descriptor_;
};

}  // namespace residual::cuda

// A descriptor of cuDNN's graph API (cudnn_graph.h): an object whose attributes are set one by one and then finalised.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <vector>

#include "engine/backend/cuda/check.h"
#include "engine/core/error.h"

namespace residual::cuda {

// The type of an attribute whose values have the C++ type T.
template <class T>
extern const cudnnBackendAttributeType_t kAttributeType;
template <>
inline constexpr auto kAttributeType<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr auto kAttributeType<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr auto kAttributeType<int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr auto kAttributeType<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr auto kAttributeType<void*> = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr auto kAttributeType<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr auto kAttributeType<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr auto kAttributeType<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr auto kAttributeType<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <>
inline constexpr auto kAttributeType<cudnnBackendNormMode_t> = CUDNN_TYPE_NORM_MODE;
template <>
inline constexpr auto kAttributeType<cudnnBackendNormFwdPhase_t> = CUDNN_TYPE_NORM_FWD_PHASE;
template <>
inline constexpr auto kAttributeType<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr auto kAttributeType<cudnnBackendKnobType_t> = CUDNN_TYPE_KNOB_TYPE;
template <>
inline constexpr auto kAttributeType<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;

class Descriptor {
  public:
    explicit Descriptor(cudnnBackendDescriptorType_t type);

    template <class T>
    void set(cudnnBackendAttributeName_t name, std::initializer_list<T> values) {
        set_values(name, kAttributeType<T>, values.size(), values.begin());
    }
    template <class T>
    void set(cudnnBackendAttributeName_t name, T value) {
        set(name, {value});
    }
    template <class T>
    void set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
        set_values(name, kAttributeType<T>, values.size(), values.data());
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
        std::vector<T> result(count(name, kAttributeType<T>));
        result.resize(get_values(name, kAttributeType<T>, result.size(), result.data()));
        return result;
    }
    template <class T>
    T value(cudnnBackendAttributeName_t name) const {
        T result{};
        RESIDUAL_ASSERT(get_values(name, kAttributeType<T>, 1, &result) == 1);
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

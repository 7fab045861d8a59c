// cuDNN's handles and descriptors.
#include "tests/fakes/cudnn_objects.h"

#include <cstdint>
#include <cstdio>

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

template <class T>
cudnnStatus_t create(const char* call, Registry<T>& registry, T** out) {
    return status_of(call, [&] {
        require_pointer(out, "the pointer to the new object");
        *out = registry.create();
    });
}

template <class T>
cudnnStatus_t destroy(const char* call, Registry<T>& registry, T* object) {
    return status_of(call, [&] {
        require_pointer(object, "the object to destroy");
        registry.destroy(object);
    });
}

template <class T>
T& set_at(Registry<T>& registry, T* descriptor, const char* name) {
    require_pointer(descriptor, name);
    T& object = registry.at(descriptor);
    if (!object.is_set) throw Misuse(std::string(name) + " was created but never set");
    return object;
}

}  // namespace

Registry<cudnnContext>& cudnn_handles() {
    return registry_of<cudnnContext>("cuDNN handle");
}
Registry<cudnnTensorStruct>& tensor_descriptors() {
    return registry_of<cudnnTensorStruct>("tensor descriptor");
}
Registry<cudnnFilterStruct>& filter_descriptors() {
    return registry_of<cudnnFilterStruct>("filter descriptor");
}
Registry<cudnnConvolutionStruct>& convolution_descriptors() {
    return registry_of<cudnnConvolutionStruct>("convolution descriptor");
}

cudnnContext& cudnn_at(cudnnHandle_t handle) {
    require_pointer(handle, "the cuDNN handle");
    return cudnn_handles().at(handle);
}
const cudnnTensorStruct& tensor_at(cudnnTensorDescriptor_t descriptor, const char* name) {
    return set_at(tensor_descriptors(), descriptor, name);
}
const cudnnFilterStruct& filter_at(cudnnFilterDescriptor_t descriptor, const char* name) {
    return set_at(filter_descriptors(), descriptor, name);
}
const cudnnConvolutionStruct& convolution_at(cudnnConvolutionDescriptor_t descriptor) {
    return set_at(convolution_descriptors(), descriptor, "the convolution descriptor");
}

cudaStream_t live_stream(const cudnnContext& handle) {
    require_live(handle.stream, "the cuDNN handle");
    return handle.stream;
}

Storage storage_of(cudnnDataType_t type) {
    if (type == CUDNN_DATA_FLOAT) return Storage::kFloat32;
    if (type == CUDNN_DATA_BFLOAT16) return Storage::kBFloat16;
    throw Misuse("the fake cuDNN has no data type " + std::to_string(type));
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
        default:
            return "another CUDNN_STATUS";
    }
}

void cudnnGetLastErrorString(char* message, size_t size) {
    std::snprintf(message, size, "%s", last_error().c_str());
    last_error().clear();
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
    return create(__func__, cudnn_handles(), handle);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
    return destroy(__func__, cudnn_handles(), handle);
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    return status_of(__func__, [&] {
        require_live(stream, "cudnnSetStream");
        cudnn_at(handle).stream = stream;
    });
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* descriptor) {
    return create(__func__, tensor_descriptors(), descriptor);
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) {
    return destroy(__func__, tensor_descriptors(), descriptor);
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
    return status_of(__func__, [&] {
        require_pointer(descriptor, "the tensor descriptor");
        require(n > 0 && c > 0 && h > 0 && w > 0, CUDNN_STATUS_BAD_PARAM, "an extent of the tensor is not positive");
        require(int64_t{n} * c * h * w < int64_t{1} << 31, CUDNN_STATUS_NOT_SUPPORTED,
                "the tensor has 2^31 elements or more");
        storage_of(type);
        tensor_descriptors().at(descriptor) = {true, format, type, n, c, h, w};
    });
}

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* descriptor) {
    return create(__func__, filter_descriptors(), descriptor);
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t descriptor) {
    return destroy(__func__, filter_descriptors(), descriptor);
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
    return status_of(__func__, [&] {
        require_pointer(descriptor, "the filter descriptor");
        require(k > 0 && c > 0 && h > 0 && w > 0, CUDNN_STATUS_BAD_PARAM, "an extent of the filter is not positive");
        storage_of(type);
        filter_descriptors().at(descriptor) = {true, format, type, k, c, h, w};
    });
}

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* descriptor) {
    return create(__func__, convolution_descriptors(), descriptor);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t descriptor) {
    return destroy(__func__, convolution_descriptors(), descriptor);
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t compute) {
    return status_of(__func__, [&] {
        require_pointer(descriptor, "the convolution descriptor");
        require(pad_h >= 0 && pad_w >= 0, CUDNN_STATUS_BAD_PARAM, "the padding is negative");
        require(stride_h > 0 && stride_w > 0, CUDNN_STATUS_BAD_PARAM, "the stride is not positive");
        require(dilation_h > 0 && dilation_w > 0, CUDNN_STATUS_BAD_PARAM, "the dilation is not positive");
        storage_of(compute);
        auto& convolution = convolution_descriptors().at(descriptor);
        convolution = {true, pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, mode, compute, convolution.math};
    });
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t descriptor, cudnnMathType_t math) {
    return status_of(__func__, [&] {
        require_pointer(descriptor, "the convolution descriptor");
        require(math >= CUDNN_DEFAULT_MATH && math <= CUDNN_FMA_MATH, CUDNN_STATUS_BAD_PARAM, "unknown math type");
        if (math == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) throw Misuse("the fake cuDNN has no conversion to float16");
        convolution_descriptors().at(descriptor).math = math;
    });
}

// The types behind cuDNN's opaque handles and descriptors, and how a cuDNN call returns its status.
#pragma once

#include <cudnn.h>

#include <string>

#include "tests/fakes/arrays.h"
#include "tests/fakes/device.h"
#include "tests/fakes/registry.h"

struct cudnnContext {
    cudaStream_t stream = nullptr;
};

struct cudnnTensorStruct {
    bool is_set = false;
    cudnnTensorFormat_t format;
    cudnnDataType_t type;
    int n, c, h, w;
};

struct cudnnFilterStruct {
    bool is_set = false;
    cudnnTensorFormat_t format;
    cudnnDataType_t type;
    int k, c, h, w;
};

struct cudnnConvolutionStruct {
    bool is_set = false;
    int pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;
    cudnnConvolutionMode_t mode;
    cudnnDataType_t compute;
    cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};

namespace fakes {

Registry<cudnnContext>& cudnn_handles();
Registry<cudnnTensorStruct>& tensor_descriptors();
Registry<cudnnFilterStruct>& filter_descriptors();
Registry<cudnnConvolutionStruct>& convolution_descriptors();

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

// The live object behind a pointer. Refuses a null pointer; throws Misuse for a destroyed object or a descriptor that
// was never set.
cudnnContext& cudnn_at(cudnnHandle_t handle);
const cudnnTensorStruct& tensor_at(cudnnTensorDescriptor_t descriptor, const char* name);
const cudnnFilterStruct& filter_at(cudnnFilterDescriptor_t descriptor, const char* name);
const cudnnConvolutionStruct& convolution_at(cudnnConvolutionDescriptor_t descriptor);

// The handle's stream; throws Misuse if it was destroyed.
cudaStream_t live_stream(const cudnnContext& handle);
// Throws Misuse for types other than float32 and bfloat16.
Storage storage_of(cudnnDataType_t type);
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

#include "engine/backend/cuda/handles.h"

#include <fmt/format.h>

#include "engine/core/error.h"

namespace residual::cuda {

namespace {

cudnnDataType_t data_type(DType dtype) {
    RESIDUAL_ASSERT(dtype == DType::kFloat32 || dtype == DType::kBFloat16);
    return dtype == DType::kFloat32 ? CUDNN_DATA_FLOAT : CUDNN_DATA_BFLOAT16;
}

}  // namespace

Stream make_stream() {
    cudaStream_t stream = nullptr;
    CUDA_CALL(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return Stream(stream);
}

Cudnn make_cudnn(const Stream& stream) {
    cudnnHandle_t handle = nullptr;
    CUDA_CALL(cudnnCreate(&handle));
    Cudnn cudnn(handle);
    CUDA_CALL(cudnnSetStream(handle, stream.get()));
    return cudnn;
}

Cublas make_cublas(const Stream& stream) {
    cublasHandle_t handle = nullptr;
    CUDA_CALL(cublasCreate(&handle));
    Cublas cublas(handle);
    CUDA_CALL(cublasSetStream(handle, stream.get()));
    return cublas;
}

// cuDNN takes extents in the order batch, channels, height, width for every layout.
TensorDescriptor make_tensor_descriptor(DType dtype, int batch, int height, int width, int channels) {
    cudnnTensorDescriptor_t descriptor = nullptr;
    CUDA_CALL(cudnnCreateTensorDescriptor(&descriptor));
    TensorDescriptor owner(descriptor);
    CUDA_CALL(
        cudnnSetTensor4dDescriptor(descriptor, CUDNN_TENSOR_NHWC, data_type(dtype), batch, channels, height, width));
    return owner;
}

FilterDescriptor make_filter_descriptor(DType dtype, int out_channels, int kernel, int in_channels) {
    cudnnFilterDescriptor_t descriptor = nullptr;
    CUDA_CALL(cudnnCreateFilterDescriptor(&descriptor));
    FilterDescriptor owner(descriptor);
    CUDA_CALL(cudnnSetFilter4dDescriptor(descriptor, data_type(dtype), CUDNN_TENSOR_NHWC, out_channels, in_channels,
                                         kernel, kernel));
    return owner;
}

ConvolutionDescriptor make_convolution_descriptor(int pad_height, int pad_width, int stride) {
    cudnnConvolutionDescriptor_t descriptor = nullptr;
    CUDA_CALL(cudnnCreateConvolutionDescriptor(&descriptor));
    ConvolutionDescriptor owner(descriptor);
    CUDA_CALL(cudnnSetConvolution2dDescriptor(descriptor, pad_height, pad_width, stride, stride, 1, 1,
                                              CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
    return owner;
}

}  // namespace residual::cuda

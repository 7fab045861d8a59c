// RAII owners of CUDA, cuDNN and cuBLAS handles.
#pragma once

#include <memory>
#include <type_traits>

#include "engine/backend/cuda/check.h"
#include "engine/core/dtype.h"

namespace residual::cuda {

// Ignores the status that `destroy` returns.
template <auto destroy>
struct Destroy {
    template <class T>
    void operator()(T* handle) const noexcept {
        destroy(handle);
    }
};

template <class Handle, auto destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy<destroy>>;

using Stream = Owned<cudaStream_t, cudaStreamDestroy>;
using Graph = Owned<cudaGraph_t, cudaGraphDestroy>;
using GraphExec = Owned<cudaGraphExec_t, cudaGraphExecDestroy>;
using Cudnn = Owned<cudnnHandle_t, cudnnDestroy>;
using Cublas = Owned<cublasHandle_t, cublasDestroy>;
using TensorDescriptor = Owned<cudnnTensorDescriptor_t, cudnnDestroyTensorDescriptor>;
using FilterDescriptor = Owned<cudnnFilterDescriptor_t, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor = Owned<cudnnConvolutionDescriptor_t, cudnnDestroyConvolutionDescriptor>;

// cuDNN and cuBLAS take scaling factors by address.
inline constexpr float kOne = 1.0f;
inline constexpr float kZero = 0.0f;

Stream make_stream();
// Queue work on `stream`, which must outlive them.
Cudnn make_cudnn(const Stream& stream);
Cublas make_cublas(const Stream& stream);

// A contiguous NHWC array of float32 or bfloat16.
TensorDescriptor make_tensor_descriptor(DType dtype, int batch, int height, int width, int channels);
// Weights [out_channels, kernel, kernel, in_channels].
FilterDescriptor make_filter_descriptor(DType dtype, int out_channels, int kernel, int in_channels);
// Accumulates in float32.
ConvolutionDescriptor make_convolution_descriptor(int pad_height, int pad_width, int stride);

}  // namespace residual::cuda

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/build_info.h"

#include <fmt/format.h>

#include "engine/backend/cuda/fused.h"
#include "engine/backend/cuda/memory.h"
#include "engine/backend/cuda/recording.h"
#include "kernels/pad.h"

namespace residual {

namespace {

cudaDeviceProp current_device_properties() {
    int device = 0;
    CUDA_CALL(cudaGetDevice(&device));
    cudaDeviceProp properties{};
    CUDA_CALL(cudaGetDeviceProperties(&properties, device));
    return properties;
}

bool has_symmetric_padding(const Conv2dParams& p) {
    return p.pad_top == p.pad_bottom && p.pad_left == p.pad_right;
}

// The same convolution of an already padded image.
Conv2dParams without_padding(const Conv2dParams& p) {
    return {.batch = p.batch,
            .height = p.height + p.pad_top + p.pad_bottom,
            .width = p.width + p.pad_left + p.pad_right,
            .in_channels = p.in_channels,
            .out_channels = p.out_channels,
            .kernel = p.kernel,
            .stride = p.stride,
            .pad_top = 0,
            .pad_bottom = 0,
            .pad_left = 0,
            .pad_right = 0};
}

kernels::PadShape pad_shape(const Conv2dParams& p) {
    return {p.batch, p.height, p.width, p.in_channels, p.pad_top, p.pad_bottom, p.pad_left, p.pad_right};
}

}  // namespace

CudaBackend::CudaBackend(const CudaOptions& options, cuda::Stream stream)
    : KernelBackend(std::make_unique<cuda::DeviceMemory>(), kernels::Cuda{stream.get()}),
      stream_(std::move(stream)),
      properties_(current_device_properties()),
      cudnn_(cuda::make_cudnn(stream_)),
      cublas_(cuda::make_cublas(stream_)),
      convolutions_(*this, cudnn_.get(), options),
      batch_norm_(cudnn_.get()),
      matmul_(*this, cublas_.get(), options, properties_.major) {
    make_constants(1024);
    if (options.fused) {
        set_fused(std::make_unique<cuda::CudaFusedOps>(*this, exec(), tickets(), properties_.sharedMemPerBlockOptin));
    }
}

std::string CudaBackend::description() const {
    int driver = 0;
    CUDA_CALL(cudaDriverGetVersion(&driver));
    const std::string limits = fused() != nullptr ? fused()->limits() : "";
    return fmt::format("{} (compute capability {}.{}), driver for CUDA {}.{}, cuDNN {}{}{}", properties_.name,
                       properties_.major, properties_.minor, driver / 1000, driver % 1000 / 10, cudnn_version(),
                       limits.empty() ? "" : "; ", limits);
}

// Waits, because a copy from pageable host memory may still be in progress when the call returns.
void CudaBackend::upload(const void* host, const Tensor& to) {
    CUDA_CALL(cudaMemcpyAsync(to.data(), host, to.bytes(), cudaMemcpyHostToDevice, stream_.get()));
    synchronize();
}

void CudaBackend::download(const Tensor& from, void* host) {
    CUDA_CALL(cudaMemcpyAsync(host, from.data(), from.bytes(), cudaMemcpyDeviceToHost, stream_.get()));
    synchronize();
}

void CudaBackend::copy(const Tensor& from, const Tensor& to) {
    RESIDUAL_ASSERT(from.bytes() == to.bytes());
    CUDA_CALL(cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyDeviceToDevice, stream_.get()));
}

void CudaBackend::fill_zero(const Tensor& x) {
    CUDA_CALL(cudaMemsetAsync(x.data(), 0, x.bytes(), stream_.get()));
}

void CudaBackend::synchronize() {
    CUDA_CALL(cudaStreamSynchronize(stream_.get()));
}

std::unique_ptr<Recording> CudaBackend::record(const std::function<void()>& work) {
    return std::make_unique<cuda::GraphRecording>(stream_.get(), work);
}

Tensor CudaBackend::pad(const Conv2dParams& p, const Tensor& x) {
    const Tensor padded = empty(without_padding(p).input_shape(), x.dtype());
    with_activation_type(
        x.dtype(), [&]<class T>(T) { kernels::spatial_pad(exec(), pad_shape(p), x.data<T>(), padded.data<T>()); });
    return padded;
}

void CudaBackend::conv2d(const Conv2dParams& p, const Tensor& x, const Tensor& w, const Tensor& y) {
    if (has_symmetric_padding(p)) {
        convolutions_.get(p, x.dtype()).forward(x, w, y);
    } else {
        convolutions_.get(without_padding(p), x.dtype()).forward(pad(p, x), w, y);
    }
}

void CudaBackend::conv2d_backward_data(const Conv2dParams& p, const Tensor& dy, const Tensor& w, const Tensor& dx) {
    if (has_symmetric_padding(p)) {
        convolutions_.get(p, dy.dtype()).backward_data(dy, w, dx);
        return;
    }
    const Tensor padded = empty(without_padding(p).input_shape(), dx.dtype());
    convolutions_.get(without_padding(p), dy.dtype()).backward_data(dy, w, padded);
    with_activation_type(
        dx.dtype(), [&]<class T>(T) { kernels::spatial_crop(exec(), pad_shape(p), padded.data<T>(), dx.data<T>()); });
}

// cuDNN writes the weight gradient in the type of x and dy. For bfloat16 it is summed in float32, rounded to bfloat16
// once, and converted to float32 here.
void CudaBackend::conv2d_backward_weight(const Conv2dParams& p, const Tensor& x, const Tensor& dy, const Tensor& dw) {
    const Tensor rounded = x.dtype() == DType::kFloat32 ? dw : empty(dw.shape(), x.dtype());
    if (has_symmetric_padding(p)) {
        convolutions_.get(p, x.dtype()).backward_weight(x, dy, rounded);
    } else {
        convolutions_.get(without_padding(p), x.dtype()).backward_weight(pad(p, x), dy, rounded);
    }
    if (x.dtype() != DType::kFloat32) cast(rounded, dw);
}

void CudaBackend::matmul(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) {
    matmul_.run(a, transpose_a, b, transpose_b, c);
}

// cuDNN does not add a residual and does not document in-place operation; the project's own kernel supports both.
void CudaBackend::batch_norm(const BatchNormParams& p, const Tensor& x, const Tensor& residual, const Tensor& y) {
    if (residual.defined() || x.data() == y.data()) {
        KernelBackend::batch_norm(p, x, residual, y);
        return;
    }
    batch_norm_.forward(p, x, y);
    if (p.relu) relu(y, y);
}

void CudaBackend::make_constants(int64_t channels) {
    ones_ = empty({channels}, DType::kFloat32);
    kernels::fill(exec(), channels, 1.0f, ones_.data<float>());
    zeros_ = zeros({channels}, DType::kFloat32);
}

// Computes 1 / sqrt(variance + epsilon) by normalising a row of ones with mean 0.
Tensor CudaBackend::inverse_std(const BatchNormParams& p) {
    const int64_t channels = p.gamma.elements();
    if (ones_.elements() < channels) make_constants(channels);
    const Tensor result = empty({channels}, DType::kFloat32);
    kernels::batch_norm(exec(), {1, static_cast<int>(channels)}, ones_.data<float>(), zeros_.data<float>(),
                        p.stats.variance.data<float>(), ones_.data<float>(), zeros_.data<float>(), p.epsilon, false,
                        nullptr, result.data<float>());
    return result;
}

// Passes the forward statistics to cuDNN, which would otherwise read x again to compute them. Recomputes the ReLU mask
// with batch_norm().
void CudaBackend::batch_norm_backward(const BatchNormParams& p, const Tensor& x, const Tensor& dy, const Tensor& dx,
                                      bool accumulate, const BatchNormGradients& gradients) {
    if (gradients.dmean.defined()) {
        KernelBackend::batch_norm_backward(p, x, dy, dx, accumulate, gradients);
        return;
    }
    Tensor masked = dy;
    if (p.relu) {
        masked = empty(x.shape(), x.dtype());
        batch_norm(p, x, Tensor(), masked);
        relu_backward(masked, dy, masked);
    } else if (dx.data() == dy.data()) {
        masked = empty(dy.shape(), dy.dtype());
        copy(dy, masked);
    }
    batch_norm_.backward(p, inverse_std(p), x, masked, dx, accumulate, gradients.dgamma, gradients.dbeta);
}

}  // namespace residual

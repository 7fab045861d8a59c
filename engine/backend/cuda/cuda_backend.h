// The CUDA device: cuDNN for convolution and batch norm, cuBLAS for matrix products, the project's own kernels for the
// rest. All work is queued on one stream.
#pragma once

#include "engine/backend/cuda/batch_norm.h"
#include "engine/backend/cuda/convolution.h"
#include "engine/backend/cuda/matmul.h"
#include "engine/backend/kernel_backend.h"

namespace residual {

class CudaBackend final : public KernelBackend<kernels::Cuda> {
  public:
    // Uses the current device; why_no_cuda() must be empty.
    explicit CudaBackend(const CudaOptions& options) : CudaBackend(options, cuda::make_stream()) {}

    DeviceType device() const override { return DeviceType::kCuda; }
    std::string description() const override;
    bool prefers_bfloat16() const override { return properties_.major >= 8; }
    void upload(const void* host, const Tensor& to) override;
    void download(const Tensor& from, void* host) override;
    void copy(const Tensor& from, const Tensor& to) override;
    void fill_zero(const Tensor& x) override;
    void synchronize() override;
    bool can_record() const override { return true; }
    std::unique_ptr<Recording> record(const std::function<void()>& work) override;

    void conv2d(const Conv2dParams& p, const Tensor& x, const Tensor& w, const Tensor& y) override;
    void conv2d_backward_data(const Conv2dParams& p, const Tensor& dy, const Tensor& w, const Tensor& dx) override;
    void conv2d_backward_weight(const Conv2dParams& p, const Tensor& x, const Tensor& dy, const Tensor& dw) override;
    void matmul(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) override;

    void batch_norm(const BatchNormParams& p, const Tensor& x, const Tensor& residual, const Tensor& y) override;
    void batch_norm_backward(const BatchNormParams& p, const Tensor& x, const Tensor& dy, const Tensor& dx,
                             bool accumulate, const BatchNormGradients& gradients) override;

  private:
    CudaBackend(const CudaOptions& options, cuda::Stream stream);

    Tensor pad(const Conv2dParams& p, const Tensor& x);
    void make_constants(int64_t channels);
    Tensor inverse_std(const BatchNormParams& p);

    cuda::Stream stream_;
    cudaDeviceProp properties_;
    cuda::Cudnn cudnn_;
    cuda::Cublas cublas_;
    cuda::Convolutions convolutions_;
    cuda::BatchNorm batch_norm_;
    cuda::Matmul matmul_;
    Tensor ones_, zeros_;  // float32, as long as the largest channel count passed to inverse_std()
};

}  // namespace residual

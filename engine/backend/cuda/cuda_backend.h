// The CUDA device: cuDNN for convolution and batch norm, cuBLAS for matrix products, the project's own kernels for the
// rest. All work is queued on one stream.
#pragma once

#include "engine/backend/cuda/graph_runner.h"
#include "engine/backend/cuda/handles.h"
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
    std::unique_ptr<ProgressCounter> make_progress_counter() override;
    bool can_record() const override { return true; }
    std::unique_ptr<Recording> record(const std::function<void()>& work) override;

    void conv2d(const Conv2dParams& p, const Tensor& x, const Tensor& w, const Tensor& y) override;
    void conv2d_backward_data(const Conv2dParams& p, const Tensor& dy, const Tensor& w, const Tensor& dx) override;
    void conv2d_backward_weight(const Conv2dParams& p, const Tensor& x, const Tensor& dy, const Tensor& dw) override;
    void matmul(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) override;

    // cuDNN, or the project's own kernels for what cuDNN has no plan for.
    void batch_norm(const BatchNormParams& p, const Tensor& x, const Tensor& residual, const Tensor& y) override;
    SavedStats batch_norm_training(const BatchNormParams& p, const RunningUpdate& running, const Tensor& x,
                                   const Tensor& residual, const Tensor& y) override;
    void batch_norm_training_backward(const BatchNormParams& p, const SavedStats& saved, const Tensor& x,
                                      const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate,
                                      const Tensor& dresidual, const BatchNormGradients& gradients) override;
    bool prefers_batch_norm_training() const override { return fused() == nullptr; }

    // The graphs of cuDNN that were asked for.
    std::vector<cuda::GraphKey> graphs() const { return graphs_.graphs(); }

  private:
    CudaBackend(const CudaOptions& options, cuda::Stream stream);

    void run_convolution(const cuda::ConvolutionGraph& graph, const std::vector<cuda::Operand>& operands);

    cuda::Stream stream_;
    cudaDeviceProp properties_;
    cuda::Cudnn cudnn_;
    cuda::Cublas cublas_;
    cuda::GraphRunner graphs_;
    cuda::Matmul matmul_;
    bool deterministic_;
};

}  // namespace residual

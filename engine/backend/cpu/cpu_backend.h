// The CPU device: oneDNN for convolution and matrix products, the project's own kernels for the rest.
#pragma once

#include "engine/backend/cpu/convolution.h"
#include "engine/backend/kernel_backend.h"
#include "engine/core/cpu_threads.h"

namespace residual {

// Host: a host target of kernels/exec.h.
template <class Host>
class CpuBackend final : public KernelBackend<Host> {
  public:
    CpuBackend();

    DeviceType device() const override { return DeviceType::kCpu; }
    std::string description() const override;
    bool prefers_bfloat16() const override { return false; }
    void upload(const void* host, const Tensor& to) override;
    void download(const Tensor& from, void* host) override;
    void copy(const Tensor& from, const Tensor& to) override;
    void fill_zero(const Tensor& x) override;
    void synchronize() override {}

    void conv2d(const Conv2dParams& p, const Tensor& x, const Tensor& w, const Tensor& y) override;
    void conv2d_backward_data(const Conv2dParams& p, const Tensor& dy, const Tensor& w, const Tensor& dx) override;
    void conv2d_backward_weight(const Conv2dParams& p, const Tensor& x, const Tensor& dy, const Tensor& dw) override;
    void matmul(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) override;

  private:
    // Whether oneDNN convolves this type directly; otherwise bfloat16 is converted to float32 and back. On images one
    // pixel wide its bfloat16 convolution is wrong: 2.6 reads uninitialised scratch memory (weight gradient), 3.7 gives
    // different results (forward).
    bool supports(const Conv2dParams& p, DType dtype) const {
        return dtype == DType::kFloat32 || (native_bfloat16_ && p.width > 1);
    }
    Tensor as_float(const Tensor& x);

    CpuThreads threads_;
    onednn::Executor executor_;
    onednn::Convolutions convolutions_;
    bool native_bfloat16_;  // Whether the CPU multiplies bfloat16.
};

}  // namespace residual

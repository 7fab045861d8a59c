// The fused operations, by the project's own CUDA kernels, for bfloat16.
#pragma once

#include "engine/backend/backend.h"
#include "kernels/bn_relu_conv.h"

namespace residual::cuda {

class CudaFusedOps final : public FusedOps {
  public:
    // Allocates scratch from the arena of `backend`, which must outlive this. `tickets`: see kernels::SumScratch.
    // `shared_bytes`: maximum shared memory per block.
    CudaFusedOps(Backend& backend, kernels::Cuda exec, const Tensor& tickets, size_t shared_bytes);

    // The shapes that need more shared memory than the GPU has.
    std::string limits() const override;

    bool has_bn_relu_conv(const Conv2dParams& conv, DType dtype) override;
    void bn_relu_conv(const BnReluConv& unit, const RunningUpdate& running, const BnReluConvResult& result) override;
    void bn_relu_conv_backward(const BnReluConv& unit, const Tensor& y, const Tensor& dy,
                               const MomentsGradient& moments, const Tensor& dp,
                               const BnReluConvGradients& gradients) override;

    bool has_stem(const Conv2dParams& conv, DType dtype) override;
    void stem(const Conv2dParams& conv, const Tensor& x, const Tensor& weight, const Tensor& y,
              const BatchStats& stats) override;
    void stem_backward(const Conv2dParams& conv, const Tensor& x, const Tensor& y, const Tensor& dy,
                       const MomentsGradient& moments, const Tensor& dweight) override;

    bool has_classifier(const Shape& x, const Shape& weight, DType dtype) override;
    void classifier(const BatchNormParams& batch_norm, const RunningUpdate& running, const Tensor& x,
                    const Tensor& weight, const Tensor& bias, const Tensor& pooled, const Tensor& logits) override;
    void classifier_backward(const BatchNormParams& batch_norm, const Tensor& x, const Tensor& pooled,
                             const Tensor& weight, const Tensor& dlogits, const Tensor& dx,
                             const BatchNormGradients& gradients, const Tensor& dweight, const Tensor& dbias) override;

  private:
    // Scratch memory of one call. It returns to the arena while the kernel is still running; its next user runs later
    // on the same stream.
    struct Scratch {
        Tensor floats;
        kernels::SumScratch pointers;
    };
    Scratch scratch(size_t floats);

    Backend& backend_;
    kernels::Cuda exec_;
    Tensor tickets_;
    size_t shared_bytes_;
};

}  // namespace residual::cuda

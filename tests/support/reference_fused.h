// The fused operations as plain loops in double precision, for the CPU. They round only where the contracts in
// kernels/bn_relu_conv.h, stem.h and classifier.h say.
#pragma once

#include <functional>
#include <memory>

#include "engine/backend/backend.h"

namespace test {

// Which operations are fused; the engine composes the others.
struct FusedSelection {
    std::function<bool(const residual::Conv2dParams&)> bn_relu_conv = [](const auto&) { return true; };
    bool stem = true;
    bool classifier = true;
};

// Tensors are float32 or bfloat16, in host memory, of any shape.
class ReferenceFusedOps final : public residual::FusedOps {
  public:
    explicit ReferenceFusedOps(FusedSelection selection = {}) : selection_(std::move(selection)) {}

    bool has_bn_relu_conv(const residual::Conv2dParams& conv, residual::DType) override {
        return selection_.bn_relu_conv(conv);
    }
    void bn_relu_conv(const residual::BnReluConv& unit, const residual::RunningUpdate& running,
                      const residual::BnReluConvResult& result) override;
    void bn_relu_conv_backward(const residual::BnReluConv& unit, const residual::Tensor& y, const residual::Tensor& dy,
                               const residual::MomentsGradient& moments, const residual::Tensor& dp,
                               const residual::BnReluConvGradients& gradients) override;

    bool has_stem(const residual::Conv2dParams&, residual::DType) override { return selection_.stem; }
    void stem(const residual::Conv2dParams& conv, const residual::Tensor& x, const residual::Tensor& weight,
              const residual::Tensor& y, const residual::BatchStats& stats) override;
    void stem_backward(const residual::Conv2dParams& conv, const residual::Tensor& x, const residual::Tensor& y,
                       const residual::Tensor& dy, const residual::MomentsGradient& moments,
                       const residual::Tensor& dweight) override;

    bool has_classifier(const residual::Shape&, const residual::Shape&, residual::DType) override {
        return selection_.classifier;
    }
    void classifier(const residual::BatchNormParams& batch_norm, const residual::RunningUpdate& running,
                    const residual::Tensor& x, const residual::Tensor& weight, const residual::Tensor& bias,
                    const residual::Tensor& pooled, const residual::Tensor& logits) override;
    void classifier_backward(const residual::BatchNormParams& batch_norm, const residual::Tensor& x,
                             const residual::Tensor& pooled, const residual::Tensor& weight,
                             const residual::Tensor& dlogits, const residual::Tensor& dx,
                             const residual::BatchNormGradients& gradients, const residual::Tensor& dweight,
                             const residual::Tensor& dbias) override;

  private:
    FusedSelection selection_;
};

// A CPU backend with these fused operations.
inline std::unique_ptr<residual::Backend> make_reference_fused_backend(FusedSelection selection = {}) {
    auto backend = residual::make_cpu_backend();
    backend->set_fused(std::make_unique<ReferenceFusedOps>(std::move(selection)));
    return backend;
}

}  // namespace test

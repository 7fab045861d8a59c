// The fused operations of a device as plain loops in double precision, for the CPU. They round where the contracts in
// kernels/half_unit.h, stem.h and classifier.h say, and nowhere else.
#pragma once

#include <functional>
#include <memory>

#include "engine/backend/backend.h"

namespace test {

// Which operations are fused; whatever is not, the engine composes.
struct FusedSelection {
    std::function<bool(const engine::Conv2dParams&)> half_unit = [](const auto&) { return true; };
    bool stem = true;
    bool classifier = true;
};

// Tensors are float32 or bfloat16, in memory of the host, and of any shape.
class ReferenceFusedOps final : public engine::FusedOps {
  public:
    explicit ReferenceFusedOps(FusedSelection selection = {}) : selection_(std::move(selection)) {}

    bool has_half_unit(const engine::Conv2dParams& conv, engine::DType) override { return selection_.half_unit(conv); }
    void half_unit(const engine::HalfUnit& unit, const engine::RunningUpdate& running,
                   const engine::HalfUnitResult& result) override;
    void half_unit_backward(const engine::HalfUnit& unit, const engine::Tensor& y, const engine::Tensor& dy,
                            const engine::MomentsGradient& moments, const engine::Tensor& dp,
                            const engine::HalfUnitGradients& gradients) override;

    bool has_stem(const engine::Conv2dParams&, engine::DType) override { return selection_.stem; }
    void stem(const engine::Conv2dParams& conv, const engine::Tensor& x, const engine::Tensor& weight,
              const engine::Tensor& y, const engine::BatchStats& stats) override;
    void stem_backward(const engine::Conv2dParams& conv, const engine::Tensor& x, const engine::Tensor& y,
                       const engine::Tensor& dy, const engine::MomentsGradient& moments,
                       const engine::Tensor& dweight) override;

    bool has_classifier(const engine::Shape&, const engine::Shape&, engine::DType) override {
        return selection_.classifier;
    }
    void classifier(const engine::NormParams& norm, const engine::RunningUpdate& running, const engine::Tensor& x,
                    const engine::Tensor& weight, const engine::Tensor& bias, const engine::Tensor& pooled,
                    const engine::Tensor& logits) override;
    void classifier_backward(const engine::NormParams& norm, const engine::Tensor& x, const engine::Tensor& pooled,
                             const engine::Tensor& weight, const engine::Tensor& dlogits, const engine::Tensor& dx,
                             const engine::NormGradients& gradients, const engine::Tensor& dweight,
                             const engine::Tensor& dbias) override;

  private:
    FusedSelection selection_;
};

// The CPU with them.
inline std::unique_ptr<engine::Backend> make_reference_fused_backend(FusedSelection selection = {}) {
    auto backend = engine::make_cpu_backend();
    backend->set_fused(std::make_unique<ReferenceFusedOps>(std::move(selection)));
    return backend;
}

}  // namespace test

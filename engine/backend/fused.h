// Operations that a device may offer as one pass over memory, each the same as a composition of those in backend.h. An
// op asks Backend::fused() for them, asks whether they know the shapes at hand, and composes where they don't.
#pragma once

#include <string>

#include "engine/backend/params.h"

namespace engine {

// y = conv(max(norm(x), 0)) + residual; see HalfUnitForward in kernels/half_unit.h.
struct HalfUnit {
    Conv2dParams conv;
    NormParams norm;  // of x, with ReLU
    Tensor x, weight;
    Tensor residual = {};  // Undefined: none.
    bool pools_residual =
        false;  // It is a picture of twice the size with half the channels (ShortcutKind::kAveragePool).
};

struct HalfUnitResult {
    Tensor y;
    BatchStats stats;  // Undefined: not wanted.
    Tensor p;          // Undefined: not wanted.
};

struct HalfUnitGradients {
    Tensor dx;  // With the moments of x held fixed.
    bool accumulate;
    Tensor dweight;
    NormGradients norm;
    Tensor dy_whole;  // Receives dy with what the gradients of y's moments bring; undefined: not wanted.
};

class FusedOps {
  public:
    virtual ~FusedOps() = default;

    // For people: what this device composes although its kernels know the shape, and why; "": nothing.
    virtual std::string limits() const { return ""; }

    // ---- half of a pre-activation residual unit
    virtual bool has_half_unit(const Conv2dParams& conv, DType dtype) = 0;
    virtual void half_unit(const HalfUnit& unit, const RunningUpdate& running, const HalfUnitResult& result) = 0;
    // dy with the moments of y held fixed, and their gradient. dp, what else flows into p, may be undefined.
    virtual void half_unit_backward(const HalfUnit& unit, const Tensor& y, const Tensor& dy,
                                    const MomentsGradient& moments, const Tensor& dp,
                                    const HalfUnitGradients& gradients) = 0;

    // ---- the first convolution, of pictures, which have no gradient
    virtual bool has_stem(const Conv2dParams& conv, DType dtype) = 0;
    virtual void stem(const Conv2dParams& conv, const Tensor& x, const Tensor& weight, const Tensor& y,
                      const BatchStats& stats) = 0;
    virtual void stem_backward(const Conv2dParams& conv, const Tensor& x, const Tensor& y, const Tensor& dy,
                               const MomentsGradient& moments, const Tensor& dweight) = 0;

    // ---- norm, ReLU, global average pool and linear layer
    virtual bool has_classifier(const Shape& x, const Shape& weight, DType dtype) = 0;
    virtual void classifier(const NormParams& norm, const RunningUpdate& running, const Tensor& x, const Tensor& weight,
                            const Tensor& bias, const Tensor& pooled, const Tensor& logits) = 0;
    // dx with the moments of x held fixed.
    virtual void classifier_backward(const NormParams& norm, const Tensor& x, const Tensor& pooled,
                                     const Tensor& weight, const Tensor& dlogits, const Tensor& dx,
                                     const NormGradients& gradients, const Tensor& dweight, const Tensor& dbias) = 0;
};

}  // namespace engine

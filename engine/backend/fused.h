// Operations that a device may offer as one pass over memory, each the same as a composition of those in backend.h. An
// op asks Backend::fused() for them, asks whether they know the shapes at hand, and composes where they don't.
#pragma once

#include "engine/backend/params.h"

namespace engine {

// The part of the gradient of a normalised tensor that flows through its batch statistics, as whoever produced the
// tensor adds it: see StatsGradient in kernels/half_unit.h. The norm's dgamma and dbeta are its two sums.
struct StatsGradient {
    BatchStats stats;
    Tensor gamma;
    Tensor dgamma, dbeta;
    float epsilon;
};

// Running statistics that an application of a norm moves; undefined: they stay.
struct RunningUpdate {
    BatchStats running;
    float decay;
};

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
    Tensor dx;  // With the statistics of x held fixed.
    bool accumulate;
    Tensor dweight, dgamma, dbeta;
    Tensor dy_whole;  // Receives dy with the part through the statistics of y; undefined: not wanted.
};

class FusedOps {
  public:
    virtual ~FusedOps() = default;

    // Adds the part to dx, in place: what an op does that cannot add it on the way.
    virtual void add_stats_gradient(const StatsGradient& part, const Tensor& x, const Tensor& dx) = 0;

    // ---- half of a pre-activation residual unit
    virtual bool has_half_unit(const Conv2dParams& conv, DType dtype) = 0;
    virtual void half_unit(const HalfUnit& unit, const RunningUpdate& running, const HalfUnitResult& result) = 0;
    // dy with the statistics of y held fixed, and the part through them where there is one (else null). dp, what else
    // flows into p, may be undefined.
    virtual void half_unit_backward(const HalfUnit& unit, const Tensor& y, const Tensor& dy, const StatsGradient* part,
                                    const Tensor& dp, const HalfUnitGradients& gradients) = 0;

    // ---- the first convolution, of pictures, which have no gradient
    virtual bool has_stem(const Conv2dParams& conv, DType dtype) = 0;
    virtual void stem(const Conv2dParams& conv, const Tensor& x, const Tensor& weight, const Tensor& y,
                      const BatchStats& stats) = 0;
    virtual void stem_backward(const Conv2dParams& conv, const Tensor& x, const Tensor& y, const Tensor& dy,
                               const StatsGradient* part, const Tensor& dweight) = 0;

    // ---- norm, ReLU, global average pool and linear layer
    virtual bool has_classifier(const Shape& x, const Shape& weight, DType dtype) = 0;
    virtual void classifier(const NormParams& norm, const RunningUpdate& running, const Tensor& x, const Tensor& weight,
                            const Tensor& bias, const Tensor& pooled, const Tensor& logits) = 0;
    // dx with the statistics of x held fixed.
    virtual void classifier_backward(const NormParams& norm, const Tensor& x, const Tensor& pooled,
                                     const Tensor& weight, const Tensor& dlogits, const Tensor& dx,
                                     const Tensor& dgamma, const Tensor& dbeta, const Tensor& dweight,
                                     const Tensor& dbias) = 0;
};

}  // namespace engine

// Operations that a device may offer as one pass over memory, each the same as a composition of those in backend.h. An
// op asks Backend::fused() for them, asks whether they know the shapes at hand, and composes where they don't.
#pragma once

#include <string>

#include "engine/backend/params.h"

namespace residual {

// y = conv(max(batch_norm(x), 0)) + residual; see BnReluConvForward in kernels/bn_relu_conv.h.
struct BnReluConv {
    Conv2dParams conv;
    BatchNormParams batch_norm;  // of x, with ReLU
    Tensor x, weight;
    Tensor residual = {};  // Undefined: none.
    bool pools_residual =
        false;  // It is an image of twice the size with half the channels (ShortcutKind::kAveragePool).
};

struct BnReluConvResult {
    Tensor y;
    BatchStats stats;  // Undefined: not wanted.
    Tensor p;          // Undefined: not wanted.
};

struct BnReluConvGradients {
    Tensor dx;  // With the moments of x held fixed.
    bool accumulate;
    Tensor dweight;
    BatchNormGradients batch_norm;
    Tensor dy_whole;  // Receives dy with what the gradients of y's moments bring; undefined: not wanted.
};

class FusedOps {
  public:
    virtual ~FusedOps() = default;

    // For people: what this device composes although its kernels know the shape, and why; "": nothing.
    virtual std::string limits() const { return ""; }

    // ---- half of a pre-activation residual unit
    virtual bool has_bn_relu_conv(const Conv2dParams& conv, DType dtype) = 0;
    virtual void bn_relu_conv(const BnReluConv& unit, const RunningUpdate& running, const BnReluConvResult& result) = 0;
    // dy with the moments of y held fixed, and their gradient. dp, what else flows into p, may be undefined.
    virtual void bn_relu_conv_backward(const BnReluConv& unit, const Tensor& y, const Tensor& dy,
                                       const MomentsGradient& moments, const Tensor& dp,
                                       const BnReluConvGradients& gradients) = 0;

    // ---- the first convolution, of images, which have no gradient
    virtual bool has_stem(const Conv2dParams& conv, DType dtype) = 0;
    virtual void stem(const Conv2dParams& conv, const Tensor& x, const Tensor& weight, const Tensor& y,
                      const BatchStats& stats) = 0;
    virtual void stem_backward(const Conv2dParams& conv, const Tensor& x, const Tensor& y, const Tensor& dy,
                               const MomentsGradient& moments, const Tensor& dweight) = 0;

    // ---- batch norm, ReLU, global average pool and linear layer
    virtual bool has_classifier(const Shape& x, const Shape& weight, DType dtype) = 0;
    virtual void classifier(const BatchNormParams& batch_norm, const RunningUpdate& running, const Tensor& x,
                            const Tensor& weight, const Tensor& bias, const Tensor& pooled, const Tensor& logits) = 0;
    // dx with the moments of x held fixed.
    virtual void classifier_backward(const BatchNormParams& batch_norm, const Tensor& x, const Tensor& pooled,
                                     const Tensor& weight, const Tensor& dlogits, const Tensor& dx,
                                     const BatchNormGradients& gradients, const Tensor& dweight,
                                     const Tensor& dbias) = 0;
};

}  // namespace residual

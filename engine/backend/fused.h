// Fused operations: each equals a composition of operations in backend.h, in fewer passes over memory. An op uses them
// if Backend::fused() supports its shapes; otherwise the op is "composed": it calls the separate operations.
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
    // True: the residual has twice the height and width of y and half its channels, and is average-pooled and padded
    // with zero channels (ShortcutKind::kAveragePool) before the addition.
    bool pools_residual = false;
};

struct BnReluConvResult {
    Tensor y;
    BatchStats stats;  // Of y. Undefined: not wanted.
    Tensor p;          // max(batch_norm(x), 0). Undefined: not wanted.
};

struct BnReluConvGradients {
    Tensor dx;  // with the moments of x held fixed
    bool accumulate;
    Tensor dweight;
    BatchNormGradients batch_norm;
    Tensor dy_whole;  // dy plus the gradient through the moments of y. Undefined: not wanted.
};

// The has_...() functions tell whether the device has the fused operation for these shapes and this type.
class FusedOps {
  public:
    virtual ~FusedOps() = default;

    // For logs: which shapes the kernels support but this device cannot run, and why; "" if none.
    virtual std::string limits() const { return ""; }

    // ---- BN-ReLU-conv of a pre-activation residual unit
    virtual bool has_bn_relu_conv(const Conv2dParams& conv, DType dtype) = 0;
    virtual void bn_relu_conv(const BnReluConv& unit, const RunningUpdate& running, const BnReluConvResult& result) = 0;
    // dy: with the moments of y held fixed; `moments`: their gradient. dp, the gradient of p from its other consumers,
    // may be undefined.
    virtual void bn_relu_conv_backward(const BnReluConv& unit, const Tensor& y, const Tensor& dy,
                                       const MomentsGradient& moments, const Tensor& dp,
                                       const BnReluConvGradients& gradients) = 0;

    // ---- the stem (the first convolution of the network): its input, the images, needs no gradient
    virtual bool has_stem(const Conv2dParams& conv, DType dtype) = 0;
    virtual void stem(const Conv2dParams& conv, const Tensor& x, const Tensor& weight, const Tensor& y,
                      const BatchStats& stats) = 0;
    virtual void stem_backward(const Conv2dParams& conv, const Tensor& x, const Tensor& y, const Tensor& dy,
                               const MomentsGradient& moments, const Tensor& dweight) = 0;

    // ---- batch norm, ReLU, global average pool and linear layer
    virtual bool has_classifier(const Shape& x, const Shape& weight, DType dtype) = 0;
    virtual void classifier(const BatchNormParams& batch_norm, const RunningUpdate& running, const Tensor& x,
                            const Tensor& weight, const Tensor& bias, const Tensor& pooled, const Tensor& logits) = 0;
    // dx: with the moments of x held fixed.
    virtual void classifier_backward(const BatchNormParams& batch_norm, const Tensor& x, const Tensor& pooled,
                                     const Tensor& weight, const Tensor& dlogits, const Tensor& dx,
                                     const BatchNormGradients& gradients, const Tensor& dweight,
                                     const Tensor& dbias) = 0;
};

}  // namespace residual

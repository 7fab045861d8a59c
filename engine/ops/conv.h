// Convolution, optionally with batch norm and ReLU before it, and a residual addition and batch statistics after it.
// With batch norm and ReLU it is a BN-ReLU-conv block. A pre-activation residual unit consists of two, the second with
// a residual (He et al. 2016, Identity Mappings in Deep Residual Networks). A device may run a block as one fused
// kernel.
#pragma once

#include <optional>
#include <vector>

#include "engine/ops/batch_norm.h"

namespace residual::ops {

enum class Padding {
    kSame,       // TensorFlow's: out = ceil(in / stride). If the total padding is odd, the extra one is at the end.
    kSymmetric,  // (kernel - 1) / 2 on every side.
};

struct ConvOptions {
    int stride = 1;
    Padding padding = Padding::kSame;
    const BatchNorm* batch_norm = nullptr;      // Applied to x before the convolution.
    Variable residual = {};                     // Added to the result. Has the shape of y, after `shortcut` if set.
    std::optional<ShortcutKind> shortcut = {};  // Applied to the residual before the addition; see ops/pool.h.
    // Also return the moments of the rounded y, unless Backend::prefers_batch_norm_training(): then the batch norm of y
    // computes them.
    bool want_stats = false;
    bool want_p = false;  // Also return the normalised input. Requires batch_norm.
};

struct ConvResult {
    Variable y;
    Moments stats = {};  // Of y; may be undefined, see want_stats.
    Variable p = {};     // [relu](batch_norm(x)), the input of the convolution, if want_p.

    // The defined outputs.
    std::vector<Variable> outputs() const;
};

// x [batch, height, width, in], weight [out, kernel, kernel, in] of x's type -> y [batch, height', width', out].
ConvResult conv(Context& context, const Variable& x, const Variable& weight, const ConvOptions& options);

// The sizes and padding of a convolution. Throws Error if the shapes do not match.
Conv2dParams conv_params(const Shape& x, const Shape& weight, int stride, Padding padding);

}  // namespace residual::ops

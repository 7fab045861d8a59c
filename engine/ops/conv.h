// Convolution at the grain the hardware wants: together with the batch norm and ReLU before it and the addition and the
// batch statistics after it. This is half of a pre-activation residual unit (He et al. 2016, Identity Mappings in Deep
// Residual Networks), and without batch norm and residual a plain convolution.
#pragma once

#include <optional>
#include <vector>

#include "engine/ops/batch_norm.h"

namespace residual::ops {

enum class Padding {
    kSame,       // As TensorFlow: out = ceil(in / stride); an odd row or column of zeros goes to the bottom or right.
    kSymmetric,  // (kernel - 1) / 2 zeros on every side.
};

struct ConvOptions {
    int stride = 1;
    Padding padding = Padding::kSame;
    const BatchNorm* batch_norm = nullptr;      // Applied to x first.
    Variable residual = {};                     // Added to the result; of its shape, unless `shortcut` brings it there.
    std::optional<ShortcutKind> shortcut = {};  // What the residual goes through first (see ops/pool.h).
    bool want_stats = false;                    // Moments of the result as stored, for the layer that normalises it.
    bool want_p = false;                        // Also return the normalised input. Needs `batch norm`.
};

struct ConvResult {
    Variable y;
    Moments stats = {};  // If wanted.
    Variable p = {};     // If wanted. Its gradient joins that of the convolution's input before the ReLU mask.

    // Those that there are.
    std::vector<Variable> outputs() const;
};

// x [batch, height, width, in], weight [out, kernel, kernel, in] of x's type -> y [batch, height', width', out].
ConvResult conv(Context& context, const Variable& x, const Variable& weight, const ConvOptions& options);

// The sizes and paddings of a convolution. Throws Error, naming the value, if the shapes do not fit.
Conv2dParams conv_params(const Shape& x, const Shape& weight, int stride, Padding padding);

}  // namespace residual::ops

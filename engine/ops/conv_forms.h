// The forms that ops::conv takes: composed of the backend's operations, or as one operation of a device that has it.
// The operands have been checked.
#pragma once

#include <optional>

#include "engine/ops/conv.h"

namespace residual::ops {

struct ConvOperands {
    Conv2dParams params;
    Variable x, weight;
    std::optional<BatchNorm> batch_norm;
    Variable residual;
    bool pools_residual = false;  // The residual is still to go through ShortcutKind::kAveragePool.

    bool recorded(const Context& context) const {
        return context.records(x, weight, residual) ||
               (batch_norm && context.records(batch_norm->gamma, batch_norm->beta, batch_norm->moments.mean));
    }
};

// Whether ShortcutKind::kAveragePool, as fused operations know it, brings a residual to the shape of y.
bool pools_to(const Shape& residual, const Shape& y);

ConvResult composed_conv(Context& context, const ConvOperands& operands, bool want_stats, bool want_p);
// FusedOps::bn_relu_conv and its gradient.
ConvResult bn_relu_conv_conv(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats,
                             bool want_p);
// FusedOps::stem and its gradient.
ConvResult stem_conv(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats);

}  // namespace residual::ops

// The implementations of ops::conv: composed of backend operations, or one fused operation of the device. The caller
// has checked the operands.
#pragma once

#include <optional>

#include "engine/ops/conv.h"

namespace residual::ops {

struct ConvOperands {
    Conv2dParams params;
    Variable x, weight;
    std::optional<BatchNorm> batch_norm;
    Variable residual;
    bool pools_residual = false;  // The operation applies ShortcutKind::kAveragePool to the residual.

    bool must_record(const Context& context) const {
        return context.records(x, weight, residual) ||
               (batch_norm && context.records(batch_norm->gamma, batch_norm->beta, batch_norm->moments.mean));
    }
};

ConvResult composed_conv(Context& context, const ConvOperands& operands, bool want_stats, bool want_p);
// Runs FusedOps::bn_relu_conv.
ConvResult fused_bn_relu_conv(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats,
                              bool want_p);
// Runs FusedOps::stem.
ConvResult fused_stem(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats);

}  // namespace residual::ops

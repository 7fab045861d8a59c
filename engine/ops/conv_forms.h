// The forms that ops::conv takes: composed of the backend's operations, or as one operation of a device that has it.
// The operands have been checked.
#pragma once

#include <optional>

#include "engine/ops/conv.h"

namespace engine::ops {

struct ConvOperands {
    Conv2dParams params;
    Variable x, weight;
    std::optional<Norm> norm;
    Variable residual;
    bool pools_residual = false;  // The residual is still to go through ShortcutKind::kAveragePool.

    bool recorded(const Context& context) const {
        return context.records(x, weight, residual) ||
               (norm && context.records(norm->gamma, norm->beta, norm->moments.mean));
    }
};

// Whether ShortcutKind::kAveragePool, as fused operations know it, brings a residual to the shape of y.
bool pools_to(const Shape& residual, const Shape& y);

ConvResult composed_conv(Context& context, const ConvOperands& operands, bool want_stats, bool want_p);
// FusedOps::half_unit and its gradient.
ConvResult half_unit_conv(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats,
                          bool want_p);
// FusedOps::stem and its gradient.
ConvResult stem_conv(Context& context, FusedOps& fused, const ConvOperands& operands, bool want_stats);

}  // namespace engine::ops

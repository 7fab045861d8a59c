// What the fused operations take beside tensors.
#pragma once

#include "tools/kernel_bench/cases.h"

namespace bench {

// Throws NotOffered where the backend has none.
engine::FusedOps& fused_ops(Backend& backend);

// The gradient through the batch statistics of y that y's producer adds.
struct StatsPart {
    StatsPart(Operands& o, const Operand& y);

    // dy, given with the statistics of y held fixed, and this part.
    Values whole(const Operand& y, const Operand& dy) const;

    NormOperands norm;
    NormSums sums;
    double rows;
    engine::StatsGradient gradient;
};

// Running statistics that an application of a norm moves, as every training step does.
engine::RunningUpdate running_update(Operands& o, int channels);

}  // namespace bench

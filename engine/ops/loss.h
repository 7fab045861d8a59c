// Softmax cross-entropy.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

struct LossResult {
    Variable loss;   // [1] float32: the mean over the batch.
    Tensor correct;  // [1] int32: number of rows whose largest logit is that of the label.
};

// logits [batch, classes] float32, labels [batch] int32 in 0 .. classes-1. Adds the batch to `totals`
// (Totals::sums() in engine/metrics/totals.h) if defined.
LossResult softmax_cross_entropy(Context& context, const Variable& logits, const Tensor& labels,
                                 const Tensor& totals = {});

}  // namespace residual::ops

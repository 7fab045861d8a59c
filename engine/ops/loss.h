// Softmax cross-entropy.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

struct LossResult {
    Variable loss;   // [1] float32: the mean over the batch.
    Tensor correct;  // [1] int32: rows whose largest logit is the label's.
};

// logits [batch, classes] float32, labels [batch] int32 in 0 .. classes-1. `totals` (see engine/metrics/totals.h), if
// defined, grows by the batch.
LossResult softmax_cross_entropy(Context& context, const Variable& logits, const Tensor& labels,
                                 const Tensor& totals = {});

}  // namespace residual::ops

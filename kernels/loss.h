#pragma once

#include <cstdint>

#include "kernels/exec.h"
#include "kernels/metrics.h"

namespace residual::kernels {

// Softmax cross-entropy of logits [batch, classes] with labels [batch], 0 <= label < classes, batch >= 1.
// loss [1] is the mean over the batch. dlogits [batch, classes], unless null, is its gradient,
// (softmax - onehot) / batch. correct [1] counts the rows whose largest logit (the first one on a tie) is that of the
// label; a row with a NaN counts as wrong and makes the loss NaN. The row's maximum is subtracted before exp.
// loss * batch, correct and batch are added to totals, unless null. Reads logits once and writes dlogits once.
template <class Exec>
void softmax_cross_entropy(const Exec& exec, int batch, int classes, const float* logits, const int32_t* labels,
                           float* loss, float* dlogits, int32_t* correct, Metrics* totals);

}  // namespace residual::kernels

#pragma once

#include <cstdint>

#include "kernels/exec.h"

namespace kernels {

// Softmax cross-entropy of logits [batch, classes] with labels [batch], 0 <= label < classes, batch >= 1.
// loss [1] is the mean over the batch. dlogits [batch, classes], unless null, is its gradient,
// (softmax - onehot) / batch. correct [1] counts the rows whose largest logit (the first of equals) is the label's;
// a row that holds a NaN is wrong, and makes the loss NaN. The row's maximum is subtracted before exp.
// Reads logits once and writes dlogits once.
template <class Exec>
void softmax_cross_entropy(const Exec& exec, int batch, int classes, const float* logits, const int32_t* labels,
                           float* loss, float* dlogits, int32_t* correct);

// Sums over the samples since the totals were zero. They live where the kernels run, so that a step needs no read-back.
struct Metrics {
    double cross_entropy;   // of the batch means, times the batch
    double weight_penalty;  // of 0.5 * weight_decay * |w|^2 at each step, times the batch
    int64_t correct;
    int64_t samples;
};

// Adds one step: loss [1] and correct [1] of softmax_cross_entropy, and sum_squares [1] of the decayed weights, which
// may be null (no penalty).
template <class Exec>
void accumulate_metrics(const Exec& exec, const float* loss, const int32_t* correct, const double* sum_squares,
                        float weight_decay, int batch, Metrics* totals);

}  // namespace kernels

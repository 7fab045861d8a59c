#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/common.h"
#include "kernels/loss.h"

namespace residual::kernels {

struct RowLoss {
    float loss;
    bool correct;
};

// One row of softmax_cross_entropy; gradient may be null.
RESIDUAL_HD inline RowLoss softmax_cross_entropy_row(int classes, const float* logits, int32_t label, float batch_share,
                                                     float* gradient) {
    int best = 0;
    bool has_nan = false;
    for (int k = 0; k < classes; ++k) {
        has_nan = has_nan || logits[k] != logits[k];
        if (logits[k] > logits[best]) best = k;
    }
    const float largest = logits[best];
    float sum = 0.0f;
    for (int k = 0; k < classes; ++k) sum += std::exp(logits[k] - largest);
    if (gradient != nullptr) {
        for (int k = 0; k < classes; ++k) {
            const float probability = std::exp(logits[k] - largest) / sum;
            gradient[k] = (probability - (k == label ? 1.0f : 0.0f)) * batch_share;
        }
    }
    return {std::log(sum) - (logits[label] - largest), !has_nan && best == label};
}

// Writes the mean loss and the correct count of a batch, and adds both to the totals (may be null).
RESIDUAL_HD inline void finish_loss(double loss_sum, int32_t correct_sum, int batch, float* loss, int32_t* correct,
                                    Metrics* totals) {
    const float mean = static_cast<float>(loss_sum / batch);
    *loss = mean;
    *correct = correct_sum;
    if (totals == nullptr) return;
    totals->cross_entropy += static_cast<double>(mean) * batch;
    totals->correct += correct_sum;
    totals->samples += batch;
}

}  // namespace residual::kernels

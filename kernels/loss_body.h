#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/common.h"
#include "kernels/loss.h"

namespace kernels {

struct RowLoss {
    float loss;
    bool correct;
};

// One row of softmax_cross_entropy; gradient may be null.
KERNELS_HD inline RowLoss softmax_cross_entropy_row(int classes, const float* logits, int32_t label, float batch_share,
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

KERNELS_HD inline void add_step(float loss, int32_t correct, double sum_squares, float weight_decay, int batch,
                                Metrics* totals) {
    totals->cross_entropy += static_cast<double>(loss) * batch;
    totals->weight_penalty += 0.5 * weight_decay * sum_squares * batch;
    totals->correct += correct;
    totals->samples += batch;
}

}  // namespace kernels

#pragma once

#include <cmath>

#include "kernels/common.h"
#include "kernels/optimizer.h"

namespace residual::kernels {

RESIDUAL_HD inline float rate_of(const Schedule& schedule, int64_t step) {
    int passed = 0;
    while (passed < schedule.boundaries_count && schedule.boundaries[passed] <= step) ++passed;
    return schedule.values[passed];
}

RESIDUAL_HD inline void sgd_momentum_value(float learning_rate, float momentum, float weight_decay, bool nesterov,
                                           float gradient, float& velocity, float& weight) {
    const float slope = gradient + weight_decay * weight;
    velocity = momentum * velocity + slope;
    weight -= learning_rate * (nesterov ? slope + momentum * velocity : velocity);
}

// 0, or NaN if the weight is not finite. Added to the sum of squares for every new weight.
RESIDUAL_HD inline float finite_check(float weight) {
    return 0.0f * weight;
}

// sum: the squares of the decayed weights before the update, plus the finite_check of every new weight. updates:
// updates done, including this one.
RESIDUAL_HD inline void finish_update(double sum, const SgdShape& shape, int64_t updates, Metrics* totals) {
    totals->weight_penalty += 0.5 * shape.weight_decay * sum * shape.batch;
    const bool finite = std::isfinite(totals->weight_penalty) && std::isfinite(totals->cross_entropy);
    if (!finite && totals->diverged_at == 0) totals->diverged_at = updates;
}

}  // namespace residual::kernels

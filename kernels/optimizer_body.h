#pragma once

#include "kernels/common.h"
#include "kernels/optimizer.h"

namespace kernels {

KERNELS_HD inline float rate_of(const Schedule& schedule, int64_t step) {
    int passed = 0;
    while (passed < schedule.boundaries_count && schedule.boundaries[passed] <= step) ++passed;
    return schedule.values[passed];
}

KERNELS_HD inline void sgd_momentum_value(float learning_rate, float momentum, float weight_decay, float gradient,
                                          float& velocity, float& weight) {
    velocity = momentum * velocity + (gradient + weight_decay * weight);
    weight -= learning_rate * velocity;
}

KERNELS_HD inline void add_penalty(double sum_squares, const SgdShape& shape, Metrics* totals) {
    totals->weight_penalty += 0.5 * shape.weight_decay * sum_squares * shape.batch;
}

}  // namespace kernels

#pragma once

#include "kernels/common.h"

namespace kernels {

KERNELS_HD inline void sgd_momentum_value(float learning_rate, float momentum, float weight_decay, float gradient,
                                          float& velocity, float& weight) {
    velocity = momentum * velocity + (gradient + weight_decay * weight);
    weight -= learning_rate * velocity;
}

}  // namespace kernels

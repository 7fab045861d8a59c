// The configuration of batch norm.
#pragma once

#include <limits>

#include "engine/config/fields.h"

namespace residual::nn {

struct BatchNormConfig {
    double epsilon = 1e-3;
    double decay = 0.99;

    void describe(Fields& fields) {
        fields.get("epsilon", epsilon, above(0), "added to the variance before taking its square root");
        fields.check("epsilon",
                     epsilon >= std::numeric_limits<float>::min() && epsilon <= std::numeric_limits<float>::max(),
                     "epsilon is outside the range of single precision");
        fields.get("decay", decay, at_least_and_below(0, 1),
                   "running mean and variance: running = decay * running + (1 - decay) * batch");
    }
    bool operator==(const BatchNormConfig&) const = default;
};

}  // namespace residual::nn

// The two numbers of batch norm.
#pragma once

#include <limits>

#include "engine/config/fields.h"

namespace residual::nn {

struct BatchNormConfig {
    double epsilon = 1e-3;
    double decay = 0.99;

    void describe(Fields& fields) {
        fields.get("epsilon", epsilon, above(0), "added to the variance before its square root is taken");
        fields.check("epsilon",
                     epsilon >= std::numeric_limits<float>::min() && epsilon <= std::numeric_limits<float>::max(),
                     "epsilon is outside the range of single precision");
        fields.get("decay", decay, at_least_and_below(0, 1),
                   "share of the running mean and variance that a step keeps; the rest comes from its batch");
    }
    bool operator==(const BatchNormConfig&) const = default;
};

}  // namespace residual::nn

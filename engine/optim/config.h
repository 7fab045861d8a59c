// The configuration of the optimizer and of the learning rate schedule.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/fields.h"

namespace residual {

enum class OptimizerKind { sgd, nesterov };
constexpr auto names_of(OptimizerKind) {
    return std::array<std::string_view, 2>{"sgd", "nesterov"};
}

struct OptimizerConfig {
    OptimizerKind kind = OptimizerKind::sgd;
    double momentum = 0.9;
    double weight_decay = 2e-4;

    void describe(Fields& fields) {
        fields.get("kind", kind,
                   "v = momentum * v + gradient, then sgd: weight -= learning rate * v; nesterov: weight -= learning "
                   "rate * (gradient + momentum * v)");
        fields.get("momentum", momentum, at_least_and_below(0, 1), "momentum coefficient; 0: no momentum");
        fields.get("weight_decay", weight_decay, at_least(0),
                   "adds weight_decay * w^2 / 2 to the loss, for convolution and linear weights only");
    }
    bool operator==(const OptimizerConfig&) const = default;
};

// A piecewise constant learning rate.
struct ScheduleConfig {
    std::vector<std::int64_t> boundaries = {500, 32000, 48000};
    std::vector<double> values = {0.01, 0.1, 0.01, 0.001};

    void describe(Fields& fields) {
        fields.obsolete("kind", "piecewise");
        fields.get("boundaries", boundaries, at_least(0),
                   "increasing steps, at each of which the learning rate changes to the next value; may be empty");
        fields.get("values", values, at_least(0), "learning rates; one more than the boundaries");
        const bool increasing =
            std::adjacent_find(boundaries.begin(), boundaries.end(), std::greater_equal<>{}) == boundaries.end();
        fields.check("boundaries", increasing, "boundaries must be strictly increasing");
        fields.check("values", values.size() == boundaries.size() + 1,
                     "values has length " + std::to_string(values.size()) + " and boundaries has length " +
                         std::to_string(boundaries.size()) + "; values must have one more element");
    }
    bool operator==(const ScheduleConfig&) const = default;
};

}  // namespace residual

// The learning rate of each step.
#pragma once

#include <cstdint>

#include "engine/optim/config.h"

namespace residual {

// Step `step`, counted from 0, uses values[number of boundaries <= step]: the value changes at a boundary, not after
// it.
double learning_rate(const ScheduleConfig& schedule, std::int64_t step);

}  // namespace residual

#include "engine/optim/schedule.h"

#include <algorithm>

#include "engine/core/error.h"

namespace residual {

double learning_rate(const ScheduleConfig& schedule, std::int64_t step) {
    const auto& boundaries = schedule.boundaries;
    RESIDUAL_ASSERT(step >= 0);
    RESIDUAL_ASSERT(schedule.values.size() == boundaries.size() + 1);
    const auto passed = std::upper_bound(boundaries.begin(), boundaries.end(), step) - boundaries.begin();
    return schedule.values[static_cast<std::size_t>(passed)];
}

}  // namespace residual

#include "engine/optim/schedule.h"

#include <algorithm>

#include "engine/core/error.h"

namespace engine {

double learning_rate(const ScheduleConfig& schedule, std::int64_t step) {
    const auto& boundaries = schedule.boundaries;
    ASSERT(step >= 0);
    ASSERT(schedule.values.size() == boundaries.size() + 1);
    const auto passed = std::upper_bound(boundaries.begin(), boundaries.end(), step) - boundaries.begin();
    return schedule.values[static_cast<std::size_t>(passed)];
}

}  // namespace engine

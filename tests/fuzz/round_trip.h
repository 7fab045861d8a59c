// An accepted configuration can be written as JSON and read back without a change.
#pragma once

#include <string>

#include "engine/core/error.h"
#include "tools/run/experiment.h"

namespace fuzz {

inline void expect_round_trip(const residual::tools::Experiment& experiment) {
    const std::string written = residual::tools::to_json(experiment);
    const residual::tools::Experiment again = residual::tools::experiment_from_json(written, "written");
    RESIDUAL_ASSERT(again == experiment);
    RESIDUAL_ASSERT(residual::tools::to_json(again) == written);
}

}  // namespace fuzz

// A configuration that was accepted can be written down and read back.
#pragma once

#include <string>

#include "engine/core/error.h"
#include "tools/run/experiment.h"

namespace fuzz {

inline void expect_to_survive(const tools::Experiment& experiment) {
    const std::string written = tools::to_json(experiment);
    const tools::Experiment again = tools::experiment_from_json(written, "written");
    ASSERT(again == experiment);
    ASSERT(tools::to_json(again) == written);
}

}  // namespace fuzz

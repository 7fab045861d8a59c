// Error messages for invalid configurations.
#pragma once

#include <string>
#include <vector>

#include "engine/core/error.h"
#include "tools/run/experiment.h"

// The error message for a configuration; "accepted" if it is valid.
inline std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
        residual::tools::experiment_from_json(text, "x.json", overrides);
    } catch (const residual::InputError& error) {
        return error.what();
    }
    return "accepted";
}

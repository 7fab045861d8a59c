// What the reader of configurations says to a bad one.
#pragma once

#include <string>
#include <vector>

#include "engine/core/error.h"
#include "tools/run/experiment.h"

// The message; "accepted" where none came.
inline std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
        residual::tools::experiment_from_json(text, "x.json", overrides);
    } catch (const residual::InputError& error) {
        return error.what();
    }
    return "accepted";
}

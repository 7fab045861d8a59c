// Documentation of the keys, generated from the description: a JSON Schema for editors, a Markdown table for readers.
#pragma once

#include <string>

#include "engine/config/fields.h"

namespace residual {

// JSON Schema, draft 7, with the described values as defaults. It cannot express Fields::check().
std::string write_schema(const Describe& describe, const std::string& title);

// One row per key: its path as in --set, valid values, default, meaning.
std::string write_key_table(const Describe& describe);

}  // namespace residual

// What documents the keys: a JSON Schema for editors and a Markdown table for readers, both from the description alone.
#pragma once

#include <string>

#include "engine/config/fields.h"

namespace residual {

// JSON Schema, draft 7. Conditions between keys (Fields::check) are beyond it. The values are taken as the defaults.
std::string write_schema(const Describe& describe, const std::string& title);

// One row for each key: its path as --set takes it, its values, its default, its meaning.
std::string write_key_table(const Describe& describe);

}  // namespace residual

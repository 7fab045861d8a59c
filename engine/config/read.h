// Reads a configuration: overrides take precedence over the file, the file over the defaults.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/config/fields.h"

namespace residual {

// Applies JSON text, then the overrides ("key.path=value"), to the described configuration, which holds the defaults. A
// top-level key "$schema", which editors use, is ignored. Throws InputError with the source (for an override,
// `override_source` and its text), the JSON pointer and the value; for an unknown key, with the known key that was
// probably meant.
void read_config(const Describe& describe, std::string_view text, const std::string& source,
                 std::span<const std::string> overrides = {}, const std::string& override_source = "override");

// The text of a configuration file. Throws InputError if it is not a regular file, cannot be read or exceeds 1 MiB.
std::string read_config_file(const std::string& path);

}  // namespace residual

// Defaults < file < --set: the configuration that a program runs with.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/config/fields.h"

namespace residual {

// Reads JSON text over the defaults, then the overrides ("key.path=value") over that. A key "$schema" at the top is for
// editors and left out. InputError says the source (for an override its own and its text), the JSON pointer and the
// value, for an unknown key the nearest known one.
void read_config(const Describe& describe, std::string_view text, const std::string& source,
                 std::span<const std::string> overrides = {}, const std::string& override_source = "override");

// The text of a configuration file; InputError where it is no regular file, cannot be read or exceeds 1 MiB.
std::string read_config_file(const std::string& path);

}  // namespace residual

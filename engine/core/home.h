// A leading `~` in a path. A shell expands it at the start of a word only, not in --out='~/x' or a configuration file.
#pragma once

#include <string>

namespace residual {

// Replaces the `~` of "~" and "~/..." by HOME; returns any other path unchanged. Throws InputError, which quotes the
// path, for "~name", and if HOME is not set.
std::string expand_home(const std::string& path);

}  // namespace residual

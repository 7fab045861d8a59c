// Paths of files that a program writes.
#pragma once

#include <string>

namespace residual::tools {

// Called before the work, so that a wrong path is reported at once. Throws InputError, which starts with `argument`, if
// `path` is a folder, or if its folder does not exist or this process may not write to it.
void check_output_path(const std::string& argument, const std::string& path);

}  // namespace residual::tools

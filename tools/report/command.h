// Command lines to copy into a shell.
#pragma once

#include <string>
#include <vector>

namespace residual::tools {

// The arguments with spaces between them; those that a POSIX shell would change are quoted.
std::string command_line(const std::vector<std::string>& arguments);

}  // namespace residual::tools

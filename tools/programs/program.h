// Common to all programs: the command line, the standard streams, and the mapping from errors to exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "engine/core/error.h"
#include "tools/programs/exit_code.h"

namespace residual::tools {

// Parses the command line and runs `body`; an error is one line on standard error and the documented exit code. An
// argument that is empty or not UTF-8 is refused. A failed write to standard output is an error too, because the result
// is lost, unless the body clears it (std::clearerr).
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

}  // namespace residual::tools

// Common to all programs: the command line, the standard streams, the number of CPU threads and how they wait, and the
// mapping from errors to exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "engine/core/error.h"
#include "tools/programs/exit_code.h"

namespace residual::tools {

// Must be called first, because it may restart the program (wait_policy.h). Sets the number of CPU threads
// (cpu_threads.h), parses the command line and runs `body`; an error is one line on standard error and the documented
// exit code. An argument that is empty or not UTF-8 is refused. A failed write to standard output is an error too,
// because the result is lost, unless the body clears it (std::clearerr).
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

}  // namespace residual::tools

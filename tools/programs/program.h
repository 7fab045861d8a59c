// What every program has in common: its command line, its standard streams, and how errors become exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "engine/core/error.h"
#include "tools/programs/exit_code.h"

namespace residual::tools {

// Parses the command line and runs `body`; an error is one line on standard error and the documented exit code. An
// argument that is empty or not UTF-8 is refused. What standard output did not take is an error as well, unless the
// body has cleared it (std::clearerr): the program's result is lost.
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

}  // namespace residual::tools

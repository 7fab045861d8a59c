// Common to all programs: the command line, the standard streams, the number of CPU threads and how they wait, and the
// mapping from errors to exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "engine/backend/backend.h"
#include "engine/core/error.h"
#include "engine/core/home.h"
#include "tools/programs/exit_code.h"

namespace residual::tools {

// Like app.add_option(), for the path of a file or folder, or a list of paths: expands a leading `~`, or throws
// InputError.
template <class Path>
CLI::Option* add_path(CLI::App& app, const std::string& name, Path& path, const std::string& description) {
    const auto expand = [name](const std::string& given) {
        try {
            return expand_home(given);
        } catch (const InputError& error) {
            throw InputError(name + ": " + error.what());
        }
    };
    return app.add_option(name, path, description)->transform(expand)->type_name("PATH");
}

// Prints a plan of cuDNN on standard error if `verbose` or if there is none.
PlanLog print_plans(bool verbose);

// Must be called first, because it may restart the program (wait_policy.h). Sets the number of CPU threads
// (cpu_threads.h), parses the command line and runs `body`; an error is one line on standard error and the documented
// exit code. An argument that is empty or not UTF-8 is refused. A failed write to standard output is an error too,
// because the result is lost, unless the body clears it (std::clearerr).
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

}  // namespace residual::tools

// What every program has in common: how errors become exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>

#include "engine/core/error.h"

namespace tools {

enum ExitCode { kDone = 0, kFailed = 1, kWrongInput = 2, kDiverged = 3 };

// Parses the command line and runs `body`; an error is one line on standard error and the documented exit code.
inline int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
    try {
        app.parse(argc, argv);
        return body();
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kDone : kWrongInput;
    } catch (const engine::InputError& error) {
        std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
        return kWrongInput;
    } catch (const engine::DivergedError& error) {
        std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
        return kDiverged;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
        return kFailed;
    }
}

}  // namespace tools

#include "tools/programs/program.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/backend/build_info.h"
#include "engine/backend/out_of_memory.h"
#include "engine/core/cpu_threads.h"
#include "engine/core/host_memory.h"
#include "tools/programs/standard_streams.h"
#include "tools/programs/wait_policy.h"

namespace residual::tools {

namespace {

// Also true of "--out=".
bool lacks_value(std::string_view argument) {
    return argument.empty() || (argument.substr(0, 2) == "--" && argument.find('=') == argument.size() - 1);
}

void check_arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (lacks_value(argument)) {
            throw InputError(fmt::format("argument {} is empty: {}", i, argument.empty() ? "\"\"" : argument));
        }
        try {
            (void)nlohmann::json(argument).dump();
        } catch (const nlohmann::json::type_error&) {
            throw InputError(fmt::format("argument {} is not UTF-8: {}", i, argument));
        }
    }
}

int run_body(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
    const std::string& name = app.get_name();
    try {
        app.set_version_flag(
            "--version", [] { return build_info(); },
            "print the versions of the program, its compiler and its libraries, and exit");
        check_arguments(argc, argv);
        app.parse(argc, argv);
        return body();
    } catch (const CLI::ExtrasError&) {
        // CLI11 lists them in reverse order.
        print_error(name,
                    fmt::format("unexpected arguments: {}; see {} --help", fmt::join(app.remaining(), " "), name));
        return kWrongInput;
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);  // --help or --version
        print_error(name, fmt::format("{}; see {} --help", error.what(), name));
        return kWrongInput;
    } catch (const InputError& error) {
        print_error(name, error.what());
        return kWrongInput;
    } catch (const DivergedError& error) {
        print_error(name, error.what());
        return kDiverged;
    } catch (const std::exception& error) {
        // run_program() reports it with the reason.
        if (std::ferror(stdout) != 0) return kFailed;
        const bool memory = is_out_of_host_memory(error);
        print_error(name, memory ? "out of memory: " + host_memory_advice(host_memory()) : error.what());
        return kFailed;
    }
}

}  // namespace

PlanLog print_plans(bool verbose) {
    return [verbose](const PlanChoice& choice) {
        if (verbose || choice.plan.empty()) fmt::print(stderr, "{}\n", choice.text());
    };
}

int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
    set_cpu_threads();
    sleep_while_waiting(argv);
    prepare_standard_streams();
    const int code = run_body(app, argc, argv, body);
    const std::string lost = output_error();
    if (lost.empty()) return code;
    print_error(app.get_name(), "cannot write to standard output; part of the output is lost: " + lost);
    return code == kDone ? kFailed : code;
}

}  // namespace residual::tools

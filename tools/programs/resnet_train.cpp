// resnet-train: trains the network described by a configuration file.
//
//     resnet-train configs/resnet56.json [--data DIR] [--out DIR] [--device D] [--set key=value]... [--init FILE]
//                  [--resume] [--verbose]
#include <string>
#include <vector>

#include "tools/programs/load_data.h"
#include "tools/programs/program.h"
#include "tools/programs/signals.h"
#include "tools/programs/standard_streams.h"
#include "tools/run/session.h"
#include "tools/run/training.h"

namespace {

struct Options {
    std::string config, data, out, device;
    std::vector<std::string> overrides;
    residual::tools::StartOptions start;
    bool verbose = false;
};

residual::tools::Experiment experiment_for(const Options& options) {
    std::vector<std::string> overrides = options.overrides;
    if (!options.data.empty()) overrides.push_back(residual::tools::text_override("data.dir", options.data));
    if (!options.out.empty()) overrides.push_back(residual::tools::text_override("run.dir", options.out));
    if (!options.device.empty()) overrides.push_back(residual::tools::text_override("train.device", options.device));
    return residual::tools::load_experiment(options.config, overrides);
}

void warn(const std::string& message) {
    residual::tools::print_error("resnet-train: warning", message);
}

const char* remedy(residual::RunFolderError::Problem problem) {
    using Problem = residual::RunFolderError::Problem;
    switch (problem) {
        case Problem::in_use:
            return "wait for it, or choose another folder with --out";
        case Problem::holds_run:
            return "resume it with --resume, or choose another with --out";
        case Problem::nothing_readable:
            return "start again in another folder with --out";
    }
    return "";
}

int run(const Options& options) {
    const residual::tools::Experiment experiment = experiment_for(options);
    residual::tools::StartOptions start = options.start;
    start.log = residual::tools::print_plans(options.verbose);
    const auto load = [&] { return residual::tools::load_data(experiment.data); };
    residual::Signals& signals = residual::tools::handle_signals();
    try {
        return residual::tools::exit_code_after(residual::tools::run_training(experiment, start, load, warn, signals));
    } catch (const residual::RunFolderError& error) {
        throw residual::InputError(std::string(error.what()) + "; " + remedy(error.problem()));
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains the network described by a configuration file.", "resnet-train");
    Options options;
    residual::tools::add_path(app, "config", options.config, "configuration file (see configs/README.md)")->required();
    residual::tools::add_path(app, "--data", options.data, "folder of the data set's binary files; overrides data.dir");
    residual::tools::add_path(app, "--out", options.out, "run folder, which receives the results; overrides run.dir");
    app.add_option("--device", options.device,
                   "cuda, cuda:N (GPU number N), cpu or auto (a GPU if there is one); overrides train.device");
    app.add_option("--set", options.overrides, "key.path=value: overrides a key; may be given several times")
        ->allow_extra_args(false);
    CLI::Option* init = residual::tools::add_path(app, "--init", options.start.init,
                                                  "start a new run from the weights in this safetensors file");
    app.add_flag("--verbose", options.verbose, "print the plan of each operation of cuDNN: its engine and workspace");
    app.add_flag("--resume", options.start.resume,
                 "resume from the newest readable checkpoint in the run folder, or start a new run if there is none")
        ->excludes(init);
    app.footer(
        "Exit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or input, 3 diverged;\n"
        "129, 130, 140, 143 or 152 stopped by SIGHUP, SIGINT, SIGUSR2, SIGTERM or SIGXCPU, with a checkpoint\n"
        "written if training had started. SIGUSR1 writes a checkpoint and training continues; SIGQUIT quits at once.");
    return residual::tools::run_program(app, argc, argv, [&] { return run(options); });
}

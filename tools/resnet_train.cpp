// resnet-train: trains the network that a configuration file describes.
//
//     resnet-train configs/resnet56.json [--data DIR] [--out DIR] [--device D] [--set key=value]... [--init FILE]
//                  [--resume]
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "engine/train/resume.h"
#include "engine/train/run.h"
#include "tools/agreement.h"
#include "tools/program.h"
#include "tools/session.h"

namespace {

engine::Signals signals;

void on_stop(int signal) {
    signals.stop = signal;
}

void on_save(int) {
    signals.save = 1;
}

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | flags;
    sigaction(signal, &action, nullptr);
}

void handle_signals() {
    // A second one ends the program at once.
    handle(SIGINT, on_stop, SA_RESETHAND);
    handle(SIGTERM, on_stop, SA_RESETHAND);
    handle(SIGUSR1, on_save, 0);
}

struct Options {
    std::string config, data, out, device, init;
    std::vector<std::string> overrides;
    bool resume = false;
};

void warn(const std::string& message) {
    std::fprintf(stderr, "resnet-train: warning: %s\n", message.c_str());
}

tools::Experiment experiment_for(const Options& options) {
    std::vector<std::string> overrides = options.overrides;
    if (!options.data.empty()) overrides.push_back(tools::text_override("data.dir", options.data));
    if (!options.out.empty()) overrides.push_back(tools::text_override("run.dir", options.out));
    if (!options.device.empty()) overrides.push_back(tools::text_override("train.device", options.device));
    return tools::load_experiment(options.config, overrides);
}

// Weights to start from, and what else of a file there is to take: of the run itself or, with --init, from elsewhere.
struct Start {
    std::optional<engine::Checkpoint> resumed, init;

    std::vector<float> mean(const engine::Cifar10& data) const {
        const auto& file = resumed ? resumed : init;
        const auto stored = file ? file->mean() : std::nullopt;
        return stored ? *stored : engine::pixel_mean(data.train);
    }
};

Start start_of(const Options& options, const tools::Experiment& experiment, const engine::RunFolder* folder) {
    Start start;
    if (folder) {
        start.resumed = engine::newest_good_checkpoint(*folder, warn);
        if (start.resumed) tools::refuse_other_run(*start.resumed, experiment);
    } else if (!options.init.empty()) {
        start.init = engine::Checkpoint::read(options.init);
        if (start.init->info()) tools::refuse_other_model(*start.init, experiment);
    }
    return start;
}

int train(const Options& options) {
    const tools::Experiment experiment = experiment_for(options);
    const std::filesystem::path run_dir = *experiment.run.dir;
    const int64_t steps = experiment.train.steps;

    // A run to go on with is read before anything is started, a new one leaves no folder before everything stands.
    std::optional<engine::RunFolder> folder;
    if (options.resume && std::filesystem::exists(run_dir)) folder.emplace(run_dir);
    const Start start = start_of(options, experiment, folder ? &*folder : nullptr);
    const engine::CheckpointInfo* resumed = start.resumed ? &*start.resumed->info() : nullptr;
    if (resumed && engine::is_finished(*resumed, steps)) {
        fmt::print("nothing to do: {} has {} steps, and {} are asked for\n", start.resumed->path().string(),
                   resumed->step, steps);
        return tools::kDone;
    }

    tools::Session session(experiment);
    engine::Backend& backend = *session.backend;
    if (start.init) start.init->load_into(backend, session.parameters);
    if (resumed) {
        start.resumed->load_into(backend, session.parameters);
        start.resumed->load_momenta_into(backend, session.parameters);
    }

    const auto data_dir = engine::find_cifar10(experiment.data.dir);
    engine::Cifar10 data = engine::load_cifar10(data_dir);
    if (resumed) tools::refuse_other_data(*start.resumed, data.fingerprint, data_dir.string());
    const std::vector<float> mean = start.mean(data);
    const engine::Tensor device_mean = session.upload_mean(mean);
    const auto batch_size = static_cast<int>(experiment.train.batch_size);
    const engine::DType dtype = session.parameters.activations();
    engine::Trainer trainer(backend, *session.model, session.parameters,
                            engine::Batches::shuffled(backend, data.train, device_mean, batch_size, dtype,
                                                      experiment.data, experiment.train.seed),
                            experiment.optimizer, experiment.schedule);
    auto test = engine::Batches::in_order(backend, data.test, device_mean, batch_size, dtype);
    // The device has its own copy now.
    data.train = std::vector<uint8_t>();
    data.test = std::vector<uint8_t>();
    if (resumed) trainer.restore(resumed->step, resumed->rows.sums);

    if (!folder) folder.emplace(run_dir);
    if (!options.resume) folder->refuse_run();
    const std::string config = tools::to_json(experiment);
    folder->write_config(config);
    engine::RunInputs inputs{.backend = backend,
                             .model = *session.model,
                             .parameters = session.parameters,
                             .trainer = trainer,
                             .test = test,
                             .mean = mean,
                             .data_fingerprint = data.fingerprint,
                             .config = config,
                             .rows = resumed ? resumed->rows : engine::RowProgress{},
                             .best_accuracy = options.resume ? engine::best_accuracy(*folder, warn) : -1,
                             .saved = resumed ? std::optional(resumed->step) : std::nullopt};

    engine::Progress progress(steps, batch_size);
    progress.say(session.description());
    progress.say(fmt::format("data {}; {} steps of {} pictures; results in {}", data_dir.string(), steps, batch_size,
                             folder->path().string()));
    if (resumed) {
        progress.say(fmt::format("going on from step {}: {}", resumed->step, start.resumed->path().string()));
    } else if (options.resume) {
        progress.say("no checkpoint to go on from: starting at step 0");
    }

    handle_signals();
    engine::train(inputs, steps, experiment.run, *folder, progress, signals);

    const bool stopped = signals.stop != 0;
    progress.say(fmt::format("{} after {} steps; checkpoint {}", stopped ? "stopped" : "done", trainer.step(),
                             folder->checkpoint_path(trainer.step()).string()));
    if (stopped) progress.say("go on with the same command and --resume");
    return stopped ? 128 + signals.stop : tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains the residual or plain network that a configuration file describes.", "resnet-train");
    Options options;
    app.add_option("config", options.config, "configuration file (see configs/README.md)")->required();
    app.add_option("--data", options.data, "folder of CIFAR-10's binary files (data.dir)");
    app.add_option("--out", options.out, "folder of the results (run.dir)");
    app.add_option("--device", options.device, "cuda, cpu or auto (train.device)");
    app.add_option("--set", options.overrides, "key.path=value: overrides a key; may be given several times")
        ->allow_extra_args(false);
    CLI::Option* init = app.add_option("--init", options.init, "safetensors file with the weights to start from");
    app.add_flag("--resume", options.resume,
                 "go on from the newest checkpoint in the folder of the results; from the start where there is none")
        ->excludes(init);
    app.footer(
        "Exit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or input, 3 diverged,\n"
        "130 / 143 stopped by SIGINT / SIGTERM with a checkpoint written. SIGUSR1 writes a checkpoint and goes on.");
    return tools::run_program(app, argc, argv, [&] { return train(options); });
}

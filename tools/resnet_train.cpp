// resnet-train: trains the network that a configuration file describes.
//
//     resnet-train configs/resnet56.json [--data DIR] [--out DIR] [--device D] [--set key=value]... [--init FILE]
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "engine/io/checkpoint.h"
#include "engine/train/run.h"
#include "tools/program.h"
#include "tools/session.h"

namespace {

volatile std::sig_atomic_t stop_signal = 0;

void on_signal(int signal) {
    stop_signal = signal;
    // A second one ends the program at once.
    std::signal(signal, SIG_DFL);
}

struct Options {
    std::string config, data, out, device, init;
    std::vector<std::string> overrides;
};

int train(const Options& options) {
    std::vector<std::string> overrides = options.overrides;
    if (!options.data.empty()) overrides.push_back(tools::text_override("data.dir", options.data));
    if (!options.out.empty()) overrides.push_back(tools::text_override("run.dir", options.out));
    if (!options.device.empty()) overrides.push_back(tools::text_override("train.device", options.device));
    const tools::Experiment experiment = tools::load_experiment(options.config, overrides);

    tools::Session session(experiment);
    engine::Backend& backend = *session.backend;
    std::optional<engine::Checkpoint> init;
    if (!options.init.empty()) {
        init = engine::Checkpoint::read(options.init);
        init->load_into(backend, session.parameters);
    }

    const auto data_dir = engine::find_cifar10(experiment.data.dir);
    engine::Cifar10 data = engine::load_cifar10(data_dir);
    std::vector<float> mean;
    if (init && init->mean()) {
        mean = *init->mean();
    } else {
        mean = engine::pixel_mean(data.train);
    }
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

    const std::string config = tools::to_json(experiment);
    engine::RunFolder folder(*experiment.run.dir, config);
    engine::Progress progress(experiment.train.steps, batch_size);
    progress.say(session.description());
    progress.say(fmt::format("data {}; {} steps of {} pictures; results in {}", data_dir.string(),
                             experiment.train.steps, batch_size, folder.path().string()));

    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    engine::RunInputs inputs{backend, *session.model, session.parameters, trainer,
                             test,    mean,           data.fingerprint,   config};
    engine::train(inputs, experiment.train.steps, experiment.run, folder, progress, stop_signal);

    progress.say(fmt::format("{} after {} steps; checkpoint {}", stop_signal == 0 ? "done" : "stopped", trainer.step(),
                             folder.checkpoint_path(trainer.step()).string()));
    return stop_signal == 0 ? tools::kDone : 128 + stop_signal;
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
    app.add_option("--init", options.init, "safetensors file with the weights to start from");
    app.footer(
        "Exit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or input, 3 diverged,\n"
        "130 / 143 stopped by SIGINT / SIGTERM with a checkpoint written.");
    return tools::run_program(app, argc, argv, [&] { return train(options); });
}

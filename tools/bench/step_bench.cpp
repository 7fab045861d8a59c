// step-bench: times training or evaluation steps on request, for a script that alternates between several programs.
//
//     step-bench CONFIG [--mode train|eval] [--batch N] [--device D] [--eager]
//                [--set key.path=value]...
//
// For each line `run N` on standard input, runs N steps on random images and prints one JSON line,
// {"seconds": s, "images": n}. A training step is a complete step of resnet-train (batch, forward, backward, update);
// an evaluation step computes a batch, its logits, loss and accuracy.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>
#include <sstream>

#include "tools/programs/program.h"
#include "tools/run/session.h"

namespace {

struct Options {
    std::string config, mode = "train", device;
    int batch = 128;
    bool eager = false;
    std::vector<std::string> overrides;
};

std::vector<uint8_t> random_records(const residual::DataDescription& data, size_t count) {
    const auto record_bytes = static_cast<size_t>(data.record_bytes());
    std::vector<uint8_t> records(count * record_bytes);
    std::mt19937 random(1);
    std::generate(records.begin(), records.end(), [&] { return static_cast<uint8_t>(random()); });
    for (size_t at = 0; at < records.size(); at += record_bytes) {
        records[at] = static_cast<uint8_t>(records[at] % data.classes());
    }
    return records;
}

int bench(const Options& options) {
    std::vector<std::string> overrides = options.overrides;
    overrides.push_back(fmt::format("train.batch_size={}", options.batch));
    if (!options.device.empty()) overrides.push_back(residual::tools::text_override("train.device", options.device));
    residual::tools::Session session(residual::tools::load_experiment(options.config, overrides));
    const auto records = random_records(session.data, options.mode == "train" ? 10000 : options.batch);
    const auto mean = session.set_mean(residual::pixel_mean(session.data, records));
    residual::Trainer trainer = session.trainer(records, mean);
    residual::Batches test =
        residual::Batches::in_order(*session.backend, records, mean, options.batch, session.parameters.activations());

    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string word;
        int steps = 0;
        if (!(words >> word >> steps) || word != "run" || steps < 1) {
            throw residual::InputError("expected a line \"run N\", got \"" + line + "\"");
        }
        const auto start = std::chrono::steady_clock::now();
        for (int step = 0; step < steps; ++step) {
            if (options.mode == "train" && options.eager) {
                trainer.update_eagerly();
            } else if (options.mode == "train") {
                trainer.update();
                if (!trainer.recording_failure().empty()) {
                    throw residual::Error("the step could not be recorded: " + trainer.recording_failure() +
                                          "; measure eager steps with --eager");
                }
            } else {
                residual::evaluate(*session.backend, *session.model, test);
            }
        }
        session.backend->synchronize();
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        fmt::print("{{\"seconds\": {:.6f}, \"images\": {}}}\n", elapsed.count(), int64_t{steps} * options.batch);
        std::fflush(stdout);
    }
    return residual::tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Times training or evaluation steps: for each line `run N` on standard input, runs N steps and prints one JSON "
        "line.",
        "step-bench");
    Options options;
    residual::tools::add_path(app, "config", options.config, "configuration file")->required();
    app.add_option("--mode", options.mode, "train or eval (default: train)")->check(CLI::IsMember({"train", "eval"}));
    app.add_option("--batch", options.batch, "images per step (default: 128)")->check(CLI::PositiveNumber);
    app.add_option("--device", options.device,
                   "cuda, cuda:N (GPU number N), cpu or auto (a GPU if there is one); overrides train.device");
    app.add_flag("--eager", options.eager,
                 "run every step eagerly, even if the device can record and replay steps (CUDA graphs)");
    app.add_option("--set", options.overrides, "key.path=value: overrides a key; may be given several times")
        ->allow_extra_args(false);
    app.footer(residual::tools::kExitCodes);
    return residual::tools::run_program(app, argc, argv, [&] { return bench(options); });
}

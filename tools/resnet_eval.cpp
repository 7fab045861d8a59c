// resnet-eval: the accuracy of a checkpoint on the test pictures.
//
//     resnet-eval CHECKPOINT [--data DIR] [--device D] [--config FILE] [--logits FILE] [--json]
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "engine/io/checkpoint.h"
#include "engine/train/trainer.h"
#include "tools/load_data.h"
#include "tools/program.h"
#include "tools/run/compatibility.h"
#include "tools/run/session.h"

namespace {

struct Options {
    std::string checkpoint, data, device, config, logits;
    bool json = false;
};

tools::Experiment experiment_for(const Options& options, const engine::Checkpoint& checkpoint) {
    std::vector<std::string> overrides;
    if (!options.data.empty()) overrides.push_back(tools::text_override("data.dir", options.data));
    if (!options.device.empty()) overrides.push_back(tools::text_override("train.device", options.device));
    if (!options.config.empty()) {
        const tools::Experiment experiment = tools::load_experiment(options.config, overrides);
        if (checkpoint.info()) tools::refuse_other_model(checkpoint, experiment);
        return experiment;
    }
    // The model is the checkpoint's; where and how it was trained is not where and how it is evaluated.
    const tools::Experiment trained = tools::experiment_of(checkpoint);
    tools::Experiment experiment = tools::experiment_from_json("{}", "the command line", overrides);
    experiment.model = trained.model;
    experiment.data.format = trained.data.format;
    experiment.train.batch_size = trained.train.batch_size;
    return experiment;
}

void write_logits(const std::string& path, const std::vector<float>& logits, const std::vector<int64_t>& labels) {
    const auto samples = static_cast<int64_t>(labels.size());
    const auto classes = static_cast<int64_t>(logits.size()) / samples;
    const std::vector<engine::TensorView> tensors = {
        {"labels", engine::SafetensorsType::kI64, {samples}, std::as_bytes(std::span(labels))},
        {"logits", engine::SafetensorsType::kF32, {samples, classes}, std::as_bytes(std::span(logits))}};
    engine::write_safetensors(path, tensors);
}

// Before the work whose result it is to hold.
void check_place(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    if (std::filesystem::is_directory(path)) throw engine::InputError("--logits " + path + ": this is a folder");
    if (!folder.empty() && !std::filesystem::is_directory(folder)) {
        throw engine::InputError("--logits " + path + ": there is no folder " + folder.string());
    }
}

int evaluate(const Options& options) {
    if (!options.logits.empty()) check_place(options.logits);
    const auto checkpoint = engine::Checkpoint::read(options.checkpoint);
    tools::Session session(experiment_for(options, checkpoint));
    checkpoint.load_into(*session.backend, session.parameters);

    const auto [data, place] = tools::load_data(session.experiment.data);
    tools::refuse_other_data(checkpoint, session.data, data.fingerprint, place);
    const auto stored_mean = checkpoint.mean(session.data.image_shape());
    const engine::Tensor mean =
        session.set_mean(stored_mean ? *stored_mean : engine::pixel_mean(session.data, data.train));
    engine::Batches test = session.test_batches(data.test, mean);

    std::vector<float> logits;
    const auto result =
        engine::evaluate(*session.backend, *session.model, test, options.logits.empty() ? nullptr : &logits);
    if (!options.logits.empty()) {
        std::vector<int64_t> labels;
        const auto record_bytes = static_cast<size_t>(session.data.record_bytes());
        for (size_t at = 0; at < data.test.size(); at += record_bytes) labels.push_back(data.test[at]);
        write_logits(options.logits, logits, labels);
    }

    if (options.json) {
        nlohmann::ordered_json out{{"checkpoint", options.checkpoint}};
        if (checkpoint.info()) out["step"] = checkpoint.info()->step;
        out["samples"] = test.samples();
        out["test_loss"] = result.loss;
        out["test_accuracy"] = result.accuracy;
        fmt::print("{}\n", out.dump());
    } else {
        fmt::print("{}\n{} pictures of {}: test loss {:.4f}, test accuracy {:.2f} % (error {:.2f} %)\n",
                   session.description(), test.samples(), place, result.loss, 100 * result.accuracy,
                   100 * (1 - result.accuracy));
    }
    return tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Evaluates a checkpoint on the test pictures.", "resnet-eval");
    Options options;
    app.add_option("checkpoint", options.checkpoint, "safetensors file written by resnet-train")->required();
    app.add_option("--data", options.data, "folder of the data set's binary files");
    app.add_option("--device", options.device, "cuda, cpu or auto");
    app.add_option("--config", options.config, "configuration file, instead of the one in the checkpoint");
    app.add_option("--logits", options.logits,
                   "also write logits [N, classes] and labels [N] to this safetensors file");
    app.add_flag("--json", options.json, "print one JSON object");
    app.footer("Exit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or input.");
    return tools::run_program(app, argc, argv, [&] { return evaluate(options); });
}

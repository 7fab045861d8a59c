// resnet-eval: the accuracy of a checkpoint on the test images.
//
//     resnet-eval CHECKPOINT|RUN_FOLDER [--data DIR] [--device D] [--config FILE] [--logits FILE] [--json] [--verbose]
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <vector>

#include "engine/io/checkpoint.h"
#include "engine/train/stored_checkpoints.h"
#include "engine/train/trainer.h"
#include "tools/programs/load_data.h"
#include "tools/programs/output_path.h"
#include "tools/programs/program.h"
#include "tools/run/compatibility.h"
#include "tools/run/session.h"

namespace {

struct Options {
    std::string checkpoint, data, device, config, logits;
    bool json = false, verbose = false;
};

residual::tools::Experiment experiment_for(const Options& options, const residual::Checkpoint& checkpoint) {
    std::vector<std::string> overrides;
    if (!options.data.empty()) overrides.push_back(residual::tools::text_override("data.dir", options.data));
    if (!options.device.empty()) overrides.push_back(residual::tools::text_override("train.device", options.device));
    return residual::tools::experiment_for(checkpoint, options.config, overrides);
}

void write_logits(const std::string& path, const std::vector<float>& logits, const std::vector<int64_t>& labels) {
    const auto samples = static_cast<int64_t>(labels.size());
    const auto classes = static_cast<int64_t>(logits.size()) / samples;
    const std::vector<residual::TensorView> tensors = {
        {"labels", residual::SafetensorsType::kI64, {samples}, std::as_bytes(std::span(labels))},
        {"logits", residual::SafetensorsType::kF32, {samples, classes}, std::as_bytes(std::span(logits))}};
    residual::write_safetensors(path, tensors);
}

int evaluate(const Options& options) {
    if (!options.logits.empty()) residual::tools::check_output_path("--logits", options.logits);
    const auto checkpoint = residual::Checkpoint::read(residual::checkpoint_in(options.checkpoint));
    residual::tools::Session session(experiment_for(options, checkpoint),
                                     residual::tools::print_plans(options.verbose));
    checkpoint.load_into(*session.backend, session.parameters);

    const auto [data, place] =
        residual::tools::load_data(session.experiment.data, residual::tools::TrainingImages::optional);
    const bool checked = checkpoint.info() && !data.train.empty();
    residual::tools::refuse_other_data(checkpoint, session.data,
                                       checked ? std::optional(data.fingerprint) : std::nullopt, place);
    const auto stored_mean = checkpoint.mean(session.data.image_shape());
    if (!stored_mean && data.train.empty()) {
        throw residual::InputError(fmt::format(
            "{}: the file has no per-pixel mean (tensor data.mean), and {} has no training files to compute it from; "
            "give a folder of all files with --data",
            checkpoint.path().string(), place));
    }
    const residual::Tensor mean =
        session.set_mean(stored_mean ? *stored_mean : residual::pixel_mean(session.data, data.train));
    residual::Batches test = session.test_batches(data.test, mean);

    std::vector<float> logits;
    const auto result =
        residual::evaluate(*session.backend, *session.model, test, options.logits.empty() ? nullptr : &logits);
    if (!options.logits.empty()) {
        std::vector<int64_t> labels;
        const auto record_bytes = static_cast<size_t>(session.data.record_bytes());
        for (size_t at = 0; at < data.test.size(); at += record_bytes) labels.push_back(data.test[at]);
        write_logits(options.logits, logits, labels);
    }

    if (options.json) {
        nlohmann::ordered_json out{{"checkpoint", checkpoint.path().string()}};
        if (checkpoint.info()) out["step"] = checkpoint.info()->step;
        out["samples"] = test.samples();
        out["test_loss"] = result.loss;
        out["test_accuracy"] = result.accuracy;
        out["training_images_checked"] = checked;
        fmt::print("{}\n", out.dump());
    } else {
        if (checkpoint.path() != options.checkpoint) fmt::print("checkpoint {}\n", checkpoint.path().string());
        fmt::print("{}\n{} images of {}: test loss {:.4f}, test accuracy {:.2f} % (error {:.2f} %)\n",
                   session.description(), test.samples(), place, result.loss, 100 * result.accuracy,
                   100 * (1 - result.accuracy));
        if (checkpoint.info() && !checked)
            fmt::print("the folder has no training images to compare with the checkpoint's\n");
    }
    return residual::tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Evaluates a checkpoint on the test images.", "resnet-eval");
    Options options;
    residual::tools::add_path(app, "checkpoint", options.checkpoint,
                              "safetensors file written by resnet-train, or a run folder: its last checkpoint")
        ->required();
    residual::tools::add_path(app, "--data", options.data,
                              "folder of the data set's binary files (see docs/programs.md for the default)");
    app.add_option("--device", options.device,
                   "cuda, cuda:N (GPU number N), cpu or auto (a GPU if there is one; default)");
    residual::tools::add_path(
        app, "--config", options.config,
        "configuration file; needed if the checkpoint contains none, and must have the same network and data "
        "format if it does");
    residual::tools::add_path(app, "--logits", options.logits,
                              "also write logits [N, classes] and labels [N] to this safetensors file");
    app.add_flag("--json", options.json, "print one JSON object");
    app.add_flag("--verbose", options.verbose, "print the plan of each operation of cuDNN: its engine and workspace");
    app.footer(residual::tools::kExitCodes);
    return residual::tools::run_program(app, argc, argv, [&] { return evaluate(options); });
}

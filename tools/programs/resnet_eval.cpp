// resnet-eval: the accuracy of a checkpoint on the test images.
//
//     resnet-eval CHECKPOINT|RUN_FOLDER [--data DIR] [--device D] [--config FILE] [--logits FILE] [--confusion FILE]
//                 [--predictions FILE] [--json] [--verbose]
#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "tools/programs/evaluation.h"
#include "tools/programs/evaluation_output.h"
#include "tools/programs/output_file.h"
#include "tools/programs/program.h"
#include "tools/run/stored_network.h"

namespace {

using namespace residual;
using namespace residual::tools;

struct Options {
    std::string checkpoint, data, device, config, logits, confusion, predictions;
    bool json = false, verbose = false;
};

void check_outputs(const Options& options) {
    const std::pair<const char*, std::string> outputs[] = {
        {"--logits", options.logits}, {"--confusion", options.confusion}, {"--predictions", options.predictions}};
    std::set<std::string> names;
    for (const auto& [option, path] : outputs) {
        check_output_path(option, path, checkpoint_in(options.checkpoint));
        if (!path.empty() && !names.insert(path).second) {
            throw InputError(fmt::format("{} {}: another option names the same file", option, path));
        }
    }
}

int evaluate(const Options& options) {
    check_outputs(options);
    const Checkpoint checkpoint = open_checkpoint(options.checkpoint);
    const TestResult result = evaluate_checkpoint(checkpoint, {.data = options.data,
                                                               .device = options.device,
                                                               .config = options.config,
                                                               .log = print_plans(options.verbose)});
    if (!options.logits.empty()) write_logits(options.logits, result);
    if (!options.confusion.empty()) write_output(options.confusion, confusion_csv(result));
    if (!options.predictions.empty()) write_output(options.predictions, predictions_csv(result));
    if (options.json) {
        fmt::print("{}\n", evaluation_json(checkpoint, result));
        return kDone;
    }
    if (checkpoint.path() != options.checkpoint) fmt::print("checkpoint {}\n", checkpoint.path().string());
    fmt::print("{}", evaluation_text(checkpoint, result));
    return kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Evaluates a checkpoint on the test images.", "resnet-eval");
    Options options;
    add_path(app, "checkpoint", options.checkpoint,
             "safetensors file written by resnet-train, or a run folder: its last checkpoint")
        ->required();
    add_path(app, "--data", options.data,
             "folder of the data set's binary files (see docs/programs.md for the default)");
    app.add_option("--device", options.device,
                   "cuda, cuda:N (GPU number N), cpu or auto (a GPU if there is one; default)");
    add_path(app, "--config", options.config,
             "configuration file; needed if the checkpoint contains none, and must have the same network and data "
             "format if it does");
    add_path(app, "--logits", options.logits, "also write logits [N, classes] and labels [N] to this safetensors file");
    add_path(app, "--confusion", options.confusion,
             "also write the confusion matrix to this CSV file: a row per true class, a column per predicted class");
    add_path(app, "--predictions", options.predictions,
             "also write label, prediction and probability of each image to this CSV file");
    app.add_flag("--json", options.json, "print one JSON object, with all of these figures except the logits");
    app.add_flag("--verbose", options.verbose, "print the plan of each operation of cuDNN: its engine and workspace");
    app.footer(kExitCodes);
    return run_program(app, argc, argv, [&] { return evaluate(options); });
}

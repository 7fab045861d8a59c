// The training run of resnet-train on a few drawn images; it takes a tenth of a second.
//
//     few-steps FOLDER [--resume] [key.path=value]...
#include <string>
#include <vector>

#include "tools/programs/drawn_images.h"
#include "tools/programs/program.h"
#include "tools/programs/standard_streams.h"
#include "tools/run/training.h"

namespace {

constexpr const char* kConfig = R"({
    "model": {"depth": 8},
    "train": {"steps": 8, "batch_size": 4, "device": "cpu"},
    "schedule": {"boundaries": [5], "values": [0.02, 0.01]},
    "run": {"log_every": 2, "eval_every": 4, "checkpoint_every": 3, "keep": 2}
})";

residual::tools::Images images() {
    return {residual::make_data_set(residual::tools::draw_images(1, 0, 40), residual::tools::draw_images(2, 0, 20)),
            "drawn"};
}

void warn(const std::string& message) {
    residual::tools::print_error("few-steps: warning", message);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a small network for a few steps.", "few-steps");
    std::string folder;
    std::vector<std::string> overrides;
    residual::tools::StartOptions options;
    app.add_option("folder", folder, "run folder")->required();
    app.add_option("overrides", overrides, "key.path=value: overrides a key");
    app.add_flag("--resume", options.resume, "resume from the newest readable checkpoint in the run folder");
    return residual::tools::run_program(app, argc, argv, [&] {
        overrides.push_back("run.dir=\"" + folder + "\"");
        residual::Signals signals;
        const auto experiment = residual::tools::experiment_from_json(kConfig, "few-steps", overrides);
        return residual::tools::exit_code_after(
            residual::tools::run_training(experiment, options, images, warn, signals));
    });
}

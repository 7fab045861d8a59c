// A whole training run in a tenth of a second: what resnet-train does, on a few drawn pictures.
//
//     few-steps FOLDER [--resume] [key.path=value]...
#include <string>
#include <vector>

#include "engine/data/pictures.h"
#include "tools/program.h"
#include "tools/run/training.h"
#include "tools/standard_streams.h"

namespace {

constexpr const char* kConfig = R"({
    "model": {"depth": 8},
    "train": {"steps": 8, "batch_size": 4, "device": "cpu"},
    "schedule": {"boundaries": [5], "values": [0.02, 0.01]},
    "run": {"log_every": 2, "eval_every": 4, "checkpoint_every": 3, "keep": 2}
})";

tools::Pictures pictures() {
    return {engine::make_data_set(engine::draw_pictures(1, 0, 40), engine::draw_pictures(2, 0, 20)), "drawn"};
}

void warn(const std::string& message) {
    tools::print_error("few-steps: warning", message);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a small network for a few steps.", "few-steps");
    std::string folder;
    std::vector<std::string> overrides;
    tools::StartOptions options;
    app.add_option("folder", folder)->required();
    app.add_option("overrides", overrides);
    app.add_flag("--resume", options.resume);
    return tools::run_program(app, argc, argv, [&] {
        overrides.push_back("run.dir=\"" + folder + "\"");
        engine::Signals signals;
        const auto experiment = tools::experiment_from_json(kConfig, "few-steps", overrides);
        return tools::exit_code_after(tools::run_training(experiment, options, pictures, warn, signals));
    });
}

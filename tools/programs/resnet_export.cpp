// resnet-export: a checkpoint as an ONNX model.
//
//     resnet-export CHECKPOINT|RUN_FOLDER MODEL.onnx [--fold] [--config FILE]
#include <fmt/format.h>

#include <optional>
#include <string>

#include "tools/export/onnx_model.h"
#include "tools/programs/output_file.h"
#include "tools/programs/program.h"
#include "tools/run/compatibility.h"
#include "tools/run/session.h"
#include "tools/run/stored_network.h"

namespace {

struct Options {
    std::string checkpoint, model, config;
    bool fold = false;
};

int export_model(const Options& options) {
    residual::tools::check_output_path("model", options.model, residual::tools::checkpoint_in(options.checkpoint));
    const auto checkpoint = residual::tools::open_checkpoint(options.checkpoint);
    const auto experiment = residual::tools::experiment_for(checkpoint, options.config);
    residual::tools::Session session(residual::tools::on_cpu(experiment));
    checkpoint.load_into(*session.backend, session.parameters);
    residual::tools::refuse_other_data(checkpoint, session.data, std::nullopt, "");
    const auto mean = residual::tools::mean_of(checkpoint, session.data);

    residual::tools::Graph graph = residual::tools::primitive_graph(session.trace(false));
    residual::tools::Weights weights = residual::tools::weights_of(graph, *session.backend, session.parameters);
    if (options.fold) residual::tools::fold_batch_norms(graph, weights);
    const std::string title = session.experiment.model.title();
    const std::string bytes = residual::tools::onnx_model(graph, weights, {title, session.data.class_names, mean});
    residual::tools::write_output(options.model, bytes);
    fmt::print("{} of {}, {} operations, {} bytes: {}\n", title, checkpoint.path().string(), graph.operations.size(),
               fmt::group_digits(bytes.size()), options.model);
    return residual::tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Writes the network and the weights of a checkpoint as an ONNX model (opset 17).", "resnet-export");
    Options options;
    residual::tools::add_path(app, "checkpoint", options.checkpoint,
                              "safetensors file written by resnet-train, or a run folder: its last checkpoint")
        ->required();
    residual::tools::add_path(app, "model", options.model, "ONNX file to write")->required();
    app.add_flag("--fold", options.fold, "merge each batch norm that directly follows a convolution into it");
    residual::tools::add_path(
        app, "--config", options.config,
        "configuration file; needed if the checkpoint contains none, and must have the same network and data "
        "format if it does");
    app.footer(residual::tools::kExitCodes);
    return residual::tools::run_program(app, argc, argv, [&] { return export_model(options); });
}

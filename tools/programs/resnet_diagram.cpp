// resnet-diagram: a drawing of a network.
//
//     resnet-diagram CONFIG|CHECKPOINT|RUN_FOLDER [-o FILE.svg|.pdf|.png|.dot] [--fold-units]
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "engine/io/checkpoint.h"
#include "engine/train/run_folder.h"
#include "tools/diagram/diagram.h"
#include "tools/diagram/graphviz.h"
#include "tools/programs/output_file.h"
#include "tools/programs/program.h"
#include "tools/run/compatibility.h"
#include "tools/run/session.h"
#include "tools/run/stored_network.h"

namespace {

struct Options {
    std::string network, output;
    bool fold_units = false;
};

// The format of the file: its extension.
std::string format_of(const std::string& path) {
    std::string format = std::filesystem::path(path).extension().string();
    for (const char* known : {".svg", ".pdf", ".png", ".dot"}) {
        if (format == known) return format.substr(1);
    }
    throw residual::InputError(fmt::format("-o {}: the extension must be .svg, .pdf, .png or .dot", path));
}

// A safetensors file begins with a length below 2^32 in eight bytes; a configuration is text.
bool is_checkpoint(const std::filesystem::path& path) {
    std::array<char, 8> start{};
    std::ifstream file(path, std::ios::binary);
    return file.read(start.data(), start.size()) && start.back() == '\0';
}

residual::tools::Experiment experiment_of(const std::string& network) {
    // A run that has just started has no checkpoint.
    const auto config = std::filesystem::path(network) / residual::RunFolder::kConfig;
    const auto path = std::filesystem::exists(config) ? config : residual::tools::checkpoint_in(network);
    if (!is_checkpoint(path)) return residual::tools::load_experiment(path.string());
    const auto checkpoint = residual::Checkpoint::read(path);
    if (!checkpoint.info()) {
        throw residual::InputError(path.string() +
                                   ": the file contains no configuration; give the configuration file instead");
    }
    return residual::tools::experiment_of(checkpoint);
}

int draw(const Options& options) {
    const std::string format = options.output.empty() ? "dot" : format_of(options.output);
    residual::tools::check_output_path("-o", options.output, options.network);
    residual::tools::Session session(residual::tools::on_cpu(experiment_of(options.network)));
    const auto graph = residual::tools::primitive_graph(session.trace(false));
    std::string drawing = residual::tools::diagram(graph, session.experiment.model.title(), options.fold_units);
    if (format != "dot") drawing = residual::tools::run_dot(drawing, format);
    if (options.output.empty()) {
        std::fputs(drawing.c_str(), stdout);
    } else {
        residual::tools::write_output(options.output, drawing);
    }
    return residual::tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Draws a network: every operation, feature-map size and residual unit, with parameters and FLOPs. Prints the "
        "graph in the DOT language, or writes a file.",
        "resnet-diagram");
    Options options;
    residual::tools::add_path(app, "network", options.network,
                              "configuration file, checkpoint of resnet-train, or run folder")
        ->required();
    residual::tools::add_path(app, "-o,--out", options.output,
                              "file to write, by its extension: .svg, .pdf or .png (needs Graphviz), or .dot");
    app.add_flag("--fold-units", options.fold_units, "draw equal residual units in a row once");
    app.footer(residual::tools::kExitCodes);
    return residual::tools::run_program(app, argc, argv, [&] { return draw(options); });
}

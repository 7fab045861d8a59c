// step-cost: the minimum cost of a fused training step, counted from a trace of the network's forward pass.
//
//     step-cost CONFIG... [--batch N] [--kernels]
//
// For pre-activation networks without projections, on a GPU in bfloat16 (docs/fused-step.md).
#include <fmt/format.h>

#include "tools/bench/kernel_bench/step_kernels.h"
#include "tools/programs/program.h"
#include "tools/run/session.h"

namespace {

struct Options {
    std::vector<std::string> configs;
    int batch = 128;
    bool kernels = false;
};

std::vector<residual::bench::StepKernel> kernels_of(const std::string& config, int batch) {
    residual::tools::Session session(residual::tools::on_cpu(residual::tools::load_experiment(config)));
    try {
        return residual::bench::fused_step_kernels(session.trace(true), batch);
    } catch (const residual::InputError& error) {
        throw residual::InputError(config + ": " + error.what());
    }
}

int count(const Options& options) {
    fmt::print("{:<32} {:>8} {:>8} {:>8}\n", "network", "GFLOP", "MB", "kernels");
    for (const std::string& config : options.configs) {
        const auto kernels = kernels_of(config, options.batch);
        int64_t multiply_adds = 0, bytes = 0;
        for (const auto& kernel : kernels) {
            multiply_adds += kernel.multiply_adds;
            bytes += kernel.bytes;
            if (!options.kernels) continue;
            fmt::print("  {:<30} {:8.3f} {:8.2f}\n", kernel.name, 2e-9 * static_cast<double>(kernel.multiply_adds),
                       1e-6 * static_cast<double>(kernel.bytes));
        }
        fmt::print("{:<32} {:8.1f} {:8.1f} {:8}\n", config, 2e-9 * static_cast<double>(multiply_adds),
                   1e-6 * static_cast<double>(bytes), kernels.size());
    }
    return residual::tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Counts the FLOPs, bytes and kernels of a fused training step. Needs no GPU.", "step-cost");
    Options options;
    residual::tools::add_path(app, "config", options.configs, "configuration files")->required();
    app.add_option("--batch", options.batch, "images per step (default: 128)")->check(CLI::Range(1, 1 << 20));
    app.add_flag("--kernels", options.kernels, "list every kernel");
    app.footer(residual::tools::kExitCodes);
    return residual::tools::run_program(app, argc, argv, [&] { return count(options); });
}

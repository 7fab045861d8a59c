// checkpoint-bench: how long a checkpoint blocks training, and how long until it is on the disk.
//
//     checkpoint-bench CONFIG [--dir DIR] [--rounds N] [--device D]
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/train/checkpoint_writer.h"
#include "tools/programs/program.h"
#include "tools/run/session.h"

namespace {

struct Options {
    std::string config, dir = ".", device = "auto";
    int rounds = 15;
};

class Stopwatch {
  public:
    double milliseconds() const {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Removed by the destructor, with its contents.
struct ScratchFolder {
    explicit ScratchFolder(const std::string& parent)
        : path(std::filesystem::path(parent) / fmt::format("checkpoint-bench-{}", getpid())) {}
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

void print(const char* what, std::vector<double> times) {
    std::sort(times.begin(), times.end());
    fmt::print("{:<34} {:7.1f} ms  ({:.1f} to {:.1f})\n", what, times[times.size() / 2], times.front(), times.back());
}

int measure(const Options& options) {
    residual::tools::Session session(residual::tools::load_experiment(
        options.config, std::vector{residual::tools::text_override("train.device", options.device)}));
    const ScratchFolder scratch(options.dir);
    residual::RunFolder folder(scratch.path);
    const residual::MetricsFile metrics(folder.metrics_path(), 0, 0);
    residual::CheckpointWriter writer(folder, metrics, 5);
    const residual::Shape image = session.data.image_shape();
    const std::vector<float> mean(static_cast<size_t>(image.elements()), 0);

    std::vector<double> held, written;
    for (int round = 0; round <= options.rounds; ++round) {
        residual::CheckpointInfo info;
        info.config = residual::tools::to_json(session.experiment);
        info.step = round + 1;
        info.class_names = session.data.class_names;
        const Stopwatch watch;
        residual::Snapshot snapshot(*session.backend, session.parameters, mean, image, info);
        if (!snapshot.first_not_finite().empty()) return residual::tools::kFailed;
        writer.write(std::move(snapshot), false, true);
        const double handed_over = watch.milliseconds();
        writer.finish();
        if (round == 0) continue;  // Warm-up
        held.push_back(handed_over);
        written.push_back(watch.milliseconds());
    }
    const auto bytes = static_cast<double>(std::filesystem::file_size(folder.last_path()));
    fmt::print("{}\n{:.1f} MB per checkpoint, {} rounds in {}: median (minimum to maximum)\n", session.description(),
               bytes / 1e6, options.rounds, options.dir);
    print("training is blocked", held);
    print("until the checkpoint is on the disk", written);
    return residual::tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Measures how long a checkpoint blocks training, and how long until it is on the disk.",
                 "checkpoint-bench");
    Options options;
    residual::tools::add_path(app, "config", options.config, "configuration file")->required();
    residual::tools::add_path(app, "--dir", options.dir, "folder to write to, on the disk to be measured (default: .)");
    app.add_option("--rounds", options.rounds, "number of checkpoints to time, after one warm-up (default: 15)")
        ->check(CLI::Range(1, 1000));
    app.add_option("--device", options.device,
                   "cuda, cuda:N (GPU number N), cpu or auto (a GPU if there is one; default)");
    app.footer(residual::tools::kExitCodes);
    return residual::tools::run_program(app, argc, argv, [&] { return measure(options); });
}

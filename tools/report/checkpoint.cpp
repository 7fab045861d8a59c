#include "tools/report/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>

#include "tools/run/compatibility.h"
#include "tools/run/session.h"
#include "tools/run/stored_network.h"

namespace residual::tools {
namespace {

// Far more than two devices differ in their rounding, far less than other images would.
constexpr double kSameAccuracy = 0.005;

// The first of the run's checkpoints that is not damaged.
Checkpoint open_intact_checkpoint(const std::filesystem::path& folder, std::vector<std::string>& remarks) {
    std::vector<std::filesystem::path> damaged;
    std::vector<std::string> reasons;
    for (const auto& path : checkpoints_in(folder)) {
        // last.safetensors is usually a link to another one.
        std::error_code unknown;
        if (std::ranges::any_of(damaged, [&](const auto& other) { return equivalent(path, other, unknown); })) continue;
        try {
            Checkpoint checkpoint = Checkpoint::read(path);
            for (const std::string& reason : reasons) {
                remarks.push_back(fmt::format("{}; {} is used instead", reason, path.string()));
            }
            return checkpoint;
        } catch (const InputError& error) {
            damaged.push_back(path);
            reasons.emplace_back(error.what());
        }
    }
    if (reasons.empty()) checkpoint_in(folder);  // Throws the error of a folder without checkpoints.
    throw InputError(fmt::format("{}", fmt::join(reasons, "; ")));
}

// The configuration of the checkpoint's network, which is that of the run.
Experiment network_of(const Checkpoint& checkpoint, const ReportRun& run) {
    if (!run.experiment) {
        if (checkpoint.info()) return experiment_of(checkpoint);
        throw InputError(
            fmt::format("{} contains no configuration, and the run has none either", checkpoint.path().string()));
    }
    if (checkpoint.info()) refuse_other_model(checkpoint, *run.experiment);
    return *run.experiment;
}

// Networks of every family call their first convolution "stem". Throws InputError unless all weights are finite and
// have the shapes of the network.
std::optional<Filters> filters_of(const Checkpoint& checkpoint, const Experiment& experiment) {
    Session session(on_cpu(experiment));
    checkpoint.load_into(*session.backend, session.parameters);
    const auto& all = session.parameters.parameters();
    const auto stem = std::ranges::find(all, "stem.weight", [](const auto& parameter) { return parameter->name; });
    if (stem == all.end()) return std::nullopt;
    Filters filters{(*stem)->shape, std::vector<float>(static_cast<size_t>((*stem)->shape.elements()))};
    session.backend->download((*stem)->weight, filters.values.data());
    return filters;
}

// Why it is unknown whether the test images are those of the run; "" if it is known.
std::string unchecked(const Checkpoint& checkpoint, const TestResult& result) {
    if (result.training_images_checked) return "";
    if (!checkpoint.info()) return "the checkpoint does not record on which images it was trained";
    return result.folder + " has no training images";
}

// The evaluation of the checkpoint; empty with a remark if its figures would not be those of the run.
std::optional<TestResult> evaluate_run(const Checkpoint& checkpoint, const EvaluationOptions& options,
                                       std::vector<std::string>& remarks) {
    try {
        TestResult result = evaluate_checkpoint(checkpoint, options);
        const std::string reason = unchecked(checkpoint, result);
        if (reason.empty()) return result;
        const auto recorded = checkpoint.info() ? checkpoint.info()->test_accuracy : std::nullopt;
        if (recorded && std::abs(result.averages.accuracy - *recorded) > kSameAccuracy) {
            remarks.push_back(fmt::format(
                "no evaluation: with the test images of {} the accuracy is {:.2f} %, but the checkpoint records {:.2f} "
                "%, so the images are not those of the run; name their folder with --data",
                result.folder, 100 * result.averages.accuracy, 100 * *recorded));
            return std::nullopt;
        }
        remarks.push_back(fmt::format("{}, so it was not checked whether the images in {} are those of the run{}",
                                      reason, result.folder,
                                      recorded ? "; the accuracy is the one that the checkpoint records" : ""));
        return result;
    } catch (const OutOfMemoryError&) {
        throw;
    } catch (const Error& error) {
        remarks.push_back(fmt::format("no evaluation: {}", error.what()));
        return std::nullopt;
    }
}

EvaluationOptions options_for(const Checkpoint& checkpoint, const ReportRun& run, EvaluationOptions options) {
    const auto& folder = run.experiment->data.dir;
    if (options.data.empty() && folder) options.data = *folder;
    if (!checkpoint.info()) {
        options.config = run.config.string();
        // Not the device that the run was trained on, which this machine may not have.
        if (options.device.empty()) options.device = "auto";
    }
    return options;
}

}  // namespace

void read_checkpoint(ReportRun& run, const EvaluationOptions& options) {
    try {
        const Checkpoint checkpoint = open_intact_checkpoint(run.folder, run.remarks);
        run.experiment = network_of(checkpoint, run);
        run.filters = filters_of(checkpoint, *run.experiment);
        run.checkpoint = checkpoint.path();
        run.info = checkpoint.info();
        run.test = evaluate_run(checkpoint, options_for(checkpoint, run, options), run.remarks);
        if (!run.test) return;
        run.wrong = WrongImages(*run.test);
        run.test->records = std::vector<uint8_t>();  // 31 MB of CIFAR-10.
    } catch (const InputError& error) {
        run.remarks.push_back(fmt::format("no filters and no evaluation: {}", error.what()));
    }
}

}  // namespace residual::tools

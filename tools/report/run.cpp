#include "tools/report/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "engine/config/read.h"
#include "engine/data/registry.h"
#include "engine/io/safetensors.h"
#include "engine/train/run_folder.h"
#include "tools/run/compatibility.h"
#include "tools/run/stored_network.h"

namespace residual::tools {
namespace {

// Far more than two devices differ in their rounding, far less than other images would.
constexpr double kSameAccuracy = 0.005;

std::optional<Experiment> read_config_of(const std::filesystem::path& folder, std::vector<std::string>& remarks) {
    const std::string path = (folder / RunFolder::kConfig).string();
    try {
        return experiment_from_json(read_config_file(path), path);
    } catch (const InputError& error) {
        remarks.push_back(fmt::format("no configuration: {}", error.what()));
        return std::nullopt;
    }
}

Rows read_rows(const std::filesystem::path& folder) {
    const auto path = folder / "metrics.jsonl";
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    Rows rows = parse_rows(text.str());
    if (!file.is_open()) {
        rows.remarks.push_back("no curves: " + path.string() + " is missing or cannot be read");
    } else if (rows.training.empty() && rows.test.empty()) {
        rows.remarks.push_back("no curves: metrics.jsonl has no rows yet");
    } else if (rows.test.empty()) {
        rows.remarks.push_back("no test error: metrics.jsonl has no evaluation yet");
    }
    return rows;
}

// Networks of every family call their first convolution "stem".
std::optional<Filters> read_filters(const std::filesystem::path& checkpoint) {
    const SafetensorsFile file = SafetensorsFile::read(checkpoint);
    const TensorView* stem = file.find("stem.weight");
    if (stem == nullptr || stem->type != SafetensorsType::kF32 || stem->shape.size() != 4) return std::nullopt;
    Filters filters{stem->shape, std::vector<float>(stem->data.size() / sizeof(float))};
    std::memcpy(filters.values.data(), stem->data.data(), stem->data.size());
    return filters;
}

int64_t count_parameters(const Experiment& experiment) {
    nn::Parameters parameters;
    const auto model =
        models::make_model(parameters, experiment.model, data_format(experiment.data.format).description);
    int64_t count = 0;
    for (const auto& parameter : parameters.parameters()) count += parameter->shape.elements();
    return count;
}

// The evaluation of the checkpoint; empty with a remark if its figures would not be those of the run.
std::optional<TestResult> evaluate_run(const Checkpoint& checkpoint, const EvaluationOptions& options,
                                       std::vector<std::string>& remarks) {
    try {
        TestResult result = evaluate_checkpoint(checkpoint, options);
        if (result.training_images_checked) return result;
        const auto recorded = checkpoint.info() ? checkpoint.info()->test_accuracy : std::nullopt;
        if (recorded && std::abs(result.averages.accuracy - *recorded) > kSameAccuracy) {
            remarks.push_back(fmt::format(
                "no evaluation: with the test images of {} the accuracy is {:.2f} %, but the checkpoint records {:.2f} "
                "%, so the images are not those of the run; name their folder with --data",
                result.folder, 100 * result.averages.accuracy, 100 * *recorded));
            return std::nullopt;
        }
        remarks.push_back(
            fmt::format("{} has no training images, so that it was not checked whether they are those of the run{}",
                        result.folder, recorded ? "; the accuracy is the one that the checkpoint records" : ""));
        return result;
    } catch (const OutOfMemoryError&) {
        throw;
    } catch (const Error& error) {
        remarks.push_back(fmt::format("no evaluation: {}", error.what()));
        return std::nullopt;
    }
}

void read_checkpoint(ReportRun& run, const EvaluationOptions& options) {
    try {
        const Checkpoint checkpoint = open_checkpoint(run.folder.string());
        run.checkpoint = checkpoint.path();
        run.info = checkpoint.info();
        run.filters = read_filters(checkpoint.path());
        if (!run.experiment && run.info) run.experiment = experiment_of(checkpoint);
        run.test = evaluate_run(checkpoint, options, run.remarks);
    } catch (const InputError& error) {
        run.remarks.push_back(fmt::format("no filters and no evaluation: {}", error.what()));
    }
}

void refuse_other_folders(const std::filesystem::path& folder) {
    std::error_code unknown;
    if (!std::filesystem::exists(folder, unknown)) throw InputError(folder.string() + ": there is no such folder");
    if (!std::filesystem::is_directory(folder, unknown)) {
        throw InputError(folder.string() + ": this is a file; give the folder of a run");
    }
    if (RunFolder::holds_run(folder)) return;
    // A run that has just started has only its configuration.
    std::vector<std::string> remarks;
    if (!read_config_of(folder, remarks)) {
        throw InputError(folder.string() +
                         ": this folder holds no run: neither rows (metrics.jsonl), nor a checkpoint, nor the "
                         "configuration of a run (config.json)");
    }
}

// "b" for "a/b", "a/b/" and, in the folder "b", ".".
std::filesystem::path whole_path(const std::filesystem::path& folder) {
    std::error_code unknown;
    const auto whole = std::filesystem::weakly_canonical(folder, unknown);
    if (unknown) return folder;
    return whole.has_filename() ? whole : whole.parent_path();
}

}  // namespace

std::string ReportRun::network() const {
    if (!experiment) return "unknown network";
    const std::string title = experiment->model.title();
    return title.substr(0, title.find(" ("));
}

int64_t ReportRun::steps() const {
    return std::max(rows.last_step(), info ? info->step : 0);
}

ReportRun read_run(const std::filesystem::path& folder, const EvaluationOptions& options) {
    refuse_other_folders(folder);
    ReportRun run{};
    run.folder = folder;
    run.name = folder.string();
    run.experiment = read_config_of(folder, run.remarks);
    run.rows = read_rows(folder);
    run.remarks.insert(run.remarks.end(), run.rows.remarks.begin(), run.rows.remarks.end());
    read_checkpoint(run, options);
    if (run.experiment) {
        run.parameters = count_parameters(*run.experiment);
        if (run.steps() < run.experiment->train.steps) {
            run.remarks.push_back(fmt::format("not finished: {} of {} steps; the run is going on or was stopped",
                                              run.steps(), run.experiment->train.steps));
        }
    }
    return run;
}

void set_names(std::vector<ReportRun>& runs) {
    const auto path_of = [](const ReportRun& run) { return whole_path(run.folder); };
    for (ReportRun& run : runs) {
        const std::filesystem::path path = path_of(run);
        std::filesystem::path name = path.filename();
        // One more folder of the path as long as another run has the same name.
        for (auto parent = path.parent_path(); parent.has_filename(); parent = parent.parent_path()) {
            const std::string ending = "/" + name.string();
            const auto same = std::ranges::count_if(runs, [&](const ReportRun& other) {
                return path_of(other) != path && path_of(other).string().ends_with(ending);
            });
            if (same == 0) break;
            name = parent.filename() / name;
        }
        run.name = name.string();
    }
}

}  // namespace residual::tools

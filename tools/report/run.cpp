#include "tools/report/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>
#include <system_error>

#include "engine/config/read.h"
#include "engine/data/registry.h"
#include "engine/train/run_folder.h"
#include "models/registry.h"
#include "tools/report/checkpoint.h"

namespace residual::tools {
namespace {

std::optional<Experiment> read_config_of(const std::filesystem::path& folder, std::vector<std::string>& remarks) {
    const std::string path = (folder / RunFolder::kConfig).string();
    try {
        return experiment_from_json(read_config_file(path), path);
    } catch (const InputError& error) {
        remarks.push_back(fmt::format("no configuration: {}", error.what()));
        return std::nullopt;
    }
}

// `steps`: how many the run has at most.
Rows read_rows(const std::filesystem::path& folder, int64_t steps) {
    const auto path = folder / RunFolder::kMetrics;
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) {
        return {.training = {}, .test = {}, .remarks = {"no curves: " + path.string() + " is a folder"}};
    }
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    Rows rows = parse_rows(text.str(), steps);
    if (!file.is_open()) {
        rows.remarks.push_back("no curves: " + path.string() + " is missing or cannot be read");
    } else if (rows.training.empty() && rows.test.empty()) {
        rows.remarks.push_back("no curves: metrics.jsonl has no rows yet");
    } else if (rows.test.empty()) {
        rows.remarks.push_back("no test error: metrics.jsonl has no evaluation yet");
    }
    return rows;
}

int64_t count_parameters(const Experiment& experiment) {
    nn::Parameters parameters;
    const auto model =
        models::make_model(parameters, experiment.model, data_format(experiment.data.format).description);
    int64_t count = 0;
    for (const auto& parameter : parameters.parameters()) count += parameter->shape.elements();
    return count;
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

}  // namespace

std::string ReportRun::network() const {
    if (!experiment) return "unknown network";
    const std::string title = experiment->model.title();
    return title.substr(0, title.find(" ("));
}

WrongImages::WrongImages(const TestResult& test) {
    constexpr size_t kMost = 25;
    for (size_t i = 0; i < test.predictions.size(); ++i) {
        if (!test.predictions[i].correct()) images.push_back(i);
    }
    all = images.size();
    std::ranges::stable_sort(images, std::greater(), [&](size_t i) { return test.predictions[i].probability; });
    images.resize(std::min(all, kMost));
    const auto bytes = static_cast<size_t>(test.data.record_bytes());
    for (const size_t image : images) {
        const auto record = test.records.begin() + static_cast<ptrdiff_t>(image * bytes);
        records.insert(records.end(), record, record + static_cast<ptrdiff_t>(bytes));
    }
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
    if (run.experiment) run.config = folder / RunFolder::kConfig;
    const int64_t steps = run.experiment ? run.experiment->train.steps : std::numeric_limits<int64_t>::max();
    run.rows = read_rows(folder, steps);
    run.remarks.insert(run.remarks.end(), run.rows.remarks.begin(), run.rows.remarks.end());
    read_checkpoint(run, options);
    if (run.experiment) {
        run.parameters = count_parameters(*run.experiment);
        if (run.steps() < run.experiment->train.steps) {
            run.remarks.push_back(fmt::format("not finished: {} of {} steps; the run was stopped or is still running",
                                              run.steps(), run.experiment->train.steps));
        }
    }
    return run;
}

std::filesystem::path whole_path(const std::filesystem::path& folder) {
    std::error_code unknown;
    const auto whole = std::filesystem::weakly_canonical(folder, unknown);
    if (unknown) return folder;
    return whole.has_filename() ? whole : whole.parent_path();
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

#include "tools/run/experiment.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/config/read.h"
#include "engine/config/schema.h"
#include "engine/config/write.h"
#include "engine/data/registry.h"
#include "engine/train/run_folder.h"

namespace residual::tools {
namespace {

Describe description_of(Experiment& experiment) {
    return [&experiment](Fields& fields) { experiment.describe(fields); };
}

// TrainConfig with its batch size limited by the data set.
struct TrainSection {
    TrainConfig& config;
    const DataDescription& data;

    void describe(Fields& fields) {
        config.describe(fields);
        fields.check("batch_size", config.batch_size <= data.train_records,
                     fmt::format("{} images, but {} has only {} training images; choose at most {}", config.batch_size,
                                 data.name, data.train_records, data.train_records));
    }
};

// The run folder that the configuration file `path` is in; empty if it is in none.
std::filesystem::path run_folder_of(const std::filesystem::path& path) {
    if (path.filename() != RunFolder::kConfig) return {};
    const auto folder = path.has_parent_path() ? path.parent_path() : ".";
    try {
        return RunFolder::holds_run(folder) ? folder : std::filesystem::path();
    } catch (const InputError&) {
        return {};  // A folder that cannot be listed.
    }
}

}  // namespace

void Experiment::describe(Fields& fields) {
    fields.object("model", model, fixed_in_network("the network"));
    fields.object("data", data, "training and test data");
    TrainSection bounded{train, data_format(data.format).description};
    fields.object("train", bounded, "training length, batch size, precision and device");
    fields.object("optimizer", optimizer, fixed_in_run("the optimizer"));
    fields.object("schedule", schedule, "the learning rate by step, counted from 0");
    fields.object("run", run, "output: logging, evaluations and checkpoints");
}

Experiment experiment_from_json(std::string_view text, const std::string& source,
                                std::span<const std::string> overrides) {
    Experiment experiment;
    read_config(description_of(experiment), text, source, overrides, "--set");
    return experiment;
}

Experiment load_experiment(const std::string& path, std::span<const std::string> overrides) {
    const std::string text = read_config_file(path);
    Experiment experiment = experiment_from_json(text, path, overrides);
    if (const auto folder = run_folder_of(path); !folder.empty()) {
        auto json = nlohmann::json::parse(text);
        json["run"]["dir"] = folder.string();
        experiment = experiment_from_json(json.dump(), path, overrides);
    }
    if (!experiment.run.dir) experiment.run.dir = "runs/" + std::filesystem::path(path).stem().string();
    return experiment;
}

std::string to_json(const Experiment& experiment, Fixed least) {
    Experiment copy = experiment;
    return write_config(description_of(copy), least);
}

std::string experiment_schema() {
    Experiment defaults;
    return write_schema(description_of(defaults), "Residual: a training run");
}

std::string experiment_key_table() {
    Experiment defaults;
    return write_key_table(description_of(defaults));
}

}  // namespace residual::tools

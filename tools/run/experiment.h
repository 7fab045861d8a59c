// The whole configuration of a run, as in a configuration file.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/data/config.h"
#include "engine/optim/config.h"
#include "engine/train/config.h"
#include "models/registry.h"

namespace residual::tools {

struct Experiment {
    models::ModelConfig model = {};
    DataConfig data = {};
    TrainConfig train = {};
    OptimizerConfig optimizer = {};
    ScheduleConfig schedule = {};
    RunConfig run = {};

    void describe(Fields& fields);
    bool operator==(const Experiment&) const = default;
};

// Defaults < the file < `overrides` ("key.path=value", as for --set). If the file is the config.json of a run, run.dir
// is the folder that it is in, which may have been moved. A null run.dir becomes runs/<stem of path>. Throws
// InputError.
Experiment load_experiment(const std::string& path, std::span<const std::string> overrides = {});

// The same from JSON text, which messages call `source`.
Experiment experiment_from_json(std::string_view text, const std::string& source,
                                std::span<const std::string> overrides = {});

// Every key with its value, as JSON text; only keys fixed at least at the level `least`.
std::string to_json(const Experiment& experiment, Fixed least = Fixed::nowhere);

// The JSON Schema and the Markdown table of all keys, with defaults.
std::string experiment_schema();
std::string experiment_key_table();

}  // namespace residual::tools

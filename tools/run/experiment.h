// All that one run is told: what a configuration file holds.
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

// Defaults < the file < `overrides` ("key.path=value", see --set). A run.dir left null becomes runs/<stem of path>.
// Throws InputError.
Experiment load_experiment(const std::string& path, std::span<const std::string> overrides = {});

// From JSON text; messages call it `source`.
Experiment experiment_from_json(std::string_view text, const std::string& source,
                                std::span<const std::string> overrides = {});

// Every key with its value, as JSON text. `least`: only keys that are fixed there.
std::string to_json(const Experiment& experiment, Fixed least = Fixed::nowhere);

// The JSON Schema and the Markdown table of keys, with the defaults.
std::string experiment_schema();
std::string experiment_key_table();

}  // namespace residual::tools

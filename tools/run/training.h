// A training run from its configuration to its last checkpoint: what resnet-train does once its command line is read.
#pragma once

#include <functional>
#include <string>

#include "engine/data/data_set.h"
#include "engine/train/resume.h"
#include "engine/train/run.h"
#include "tools/run/experiment.h"

namespace residual::tools {

struct StartOptions {
    std::string init;     // A safetensors file with the weights to start from; empty: none.
    bool resume = false;  // Go on from the newest checkpoint in the folder of the run, if there is one.
};

struct Images {
    DataSet data;
    std::string place;  // For messages.
};
using LoadData = std::function<Images()>;

// Trains in the folder experiment.run.dir, prints progress on standard output, and tells `warn` of checkpoints that
// cannot be read. Returns the signal that stopped the run, 0 for a finished one; steps that were taken are in a
// checkpoint. Throws what train() throws, and InputError for what does not fit together.
int run_training(const Experiment& experiment, const StartOptions& options, const LoadData& load, const Warn& warn,
                 Signals& signals);

}  // namespace residual::tools

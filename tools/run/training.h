// A training run from its configuration to its last checkpoint: resnet-train without its command line.
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
    bool resume = false;  // Resume from the newest checkpoint in the run folder, if there is one.
    PlanLog log = {};     // See CudaOptions.
};

struct Images {
    DataSet data;
    std::string folder;  // For messages.
};
using LoadData = std::function<Images()>;

// Trains in the folder experiment.run.dir, prints progress on standard output, and calls `warn` for checkpoints that
// cannot be read, rows that are gone, protection that the file system lacks, and too little room. Returns 0 when
// finished, or the signal that stopped the run, after writing a checkpoint if any step was done. Throws what train()
// throws, and InputError if checkpoint, configuration and data are incompatible.
int run_training(const Experiment& experiment, const StartOptions& options, const LoadData& load, const Warn& warn,
                 Signals& signals);

}  // namespace residual::tools

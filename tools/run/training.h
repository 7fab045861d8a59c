// A training run from its configuration to its exit code: what resnet-train does once its command line is read.
#pragma once

#include <functional>
#include <string>

#include "engine/data/cifar10.h"
#include "engine/train/run.h"
#include "tools/run/experiment.h"

namespace tools {

struct StartOptions {
    std::string init;     // A safetensors file with the weights to start from; empty: none.
    bool resume = false;  // Go on from the newest checkpoint in the folder of the run, if there is one.
};

struct Pictures {
    engine::Cifar10 data;
    std::string place;  // For messages.
};
using LoadPictures = std::function<Pictures()>;

// Trains in the folder experiment.run.dir and returns the exit code. Prints progress on standard output and warnings
// on standard error. Throws what engine::train() throws, and InputError for what does not fit together.
int train(const Experiment& experiment, const StartOptions& options, const LoadPictures& load,
          engine::Signals& signals);

}  // namespace tools

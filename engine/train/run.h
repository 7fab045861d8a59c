// A whole training run: updates, rows of metrics, evaluations, checkpoints.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "engine/train/config.h"
#include "engine/train/progress.h"
#include "engine/train/trainer.h"

namespace engine {

struct RunInputs {
    Backend& backend;
    const nn::Module& model;
    nn::Parameters& parameters;
    Trainer& trainer;
    Batches& test;
    std::vector<float> mean;  // [32, 32, 3]
    uint32_t data_fingerprint = 0;
    std::string config;  // The resolved configuration, JSON text.
};

// Trains to `steps` updates. A training row every run.log_every steps; an evaluation every run.eval_every and a
// checkpoint every run.checkpoint_every, both after the last step in any case. Returns when done, or when stop_signal
// is no longer 0: then after the step under way and a checkpoint. Throws DivergedError if a loss is not finite; no
// checkpoint is written then.
void train(RunInputs& inputs, int64_t steps, const RunConfig& run, RunFolder& folder, Progress& progress,
           const volatile std::sig_atomic_t& stop_signal);

}  // namespace engine

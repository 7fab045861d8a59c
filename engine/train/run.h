// A whole training run: updates, rows of metrics, evaluations, checkpoints.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/description.h"
#include "engine/io/checkpoint_info.h"
#include "engine/train/config.h"
#include "engine/train/progress.h"
#include "engine/train/run_folder.h"
#include "engine/train/trainer.h"

namespace residual {

// What the handlers of a program's signals leave for the run to find after the step under way.
struct Signals {
    std::atomic<int> stop = 0;  // The number of the signal that ends the run.
    std::atomic<int> save = 0;  // Not 0: a checkpoint is wanted.
    static_assert(std::atomic<int>::is_always_lock_free, "a handler may set nothing that takes a lock");
};

struct RunInputs {
    Backend& backend;
    const nn::Module& model;
    nn::Parameters& parameters;
    Trainer& trainer;
    Batches& test;
    const DataDescription& data;  // With its mean.
    uint32_t data_fingerprint = 0;
    std::string config;            // The resolved configuration, JSON text.
    RowProgress rows;              // Of the checkpoint that the run goes on from.
    double best_accuracy = -1;     // Of best.safetensors, if there is one.
    std::optional<int64_t> saved;  // The step of the checkpoint that the run goes on from.
};

// Trains to `steps` updates. A training row every run.log_every steps; an evaluation every run.eval_every and a
// checkpoint every run.checkpoint_every; each of them after the last step in any case. Returns when done, or when
// signals.stop is no longer 0: then after the step under way and a checkpoint. What a run writes only because it ends
// there (a row off its interval) is not counted in `rows`: a run that goes on makes what an uninterrupted one would
// have made. Checkpoints are written beside training. Throws DivergedError if a loss, a gradient or a weight is not
// finite, and no checkpoint is written then; Error where a checkpoint cannot be written.
void train(RunInputs& inputs, int64_t steps, const RunConfig& run, RunFolder& folder, Progress& progress,
           Signals& signals);

}  // namespace residual

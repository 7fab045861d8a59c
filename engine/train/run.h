// A training run: updates, metrics, evaluations, checkpoints.
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/data/description.h"
#include "engine/io/checkpoint_info.h"
#include "engine/train/config.h"
#include "engine/train/progress.h"
#include "engine/train/run_folder.h"
#include "engine/train/trainer.h"
#include "engine/train/warn.h"

namespace residual {

// Set by signal handlers. The run reads both after each step, and `stop` also during an evaluation, which it then
// abandons. It resets `save` once a checkpoint is on its way.
struct Signals {
    std::atomic<int> stop = 0;  // The signal that stops the run.
    std::atomic<int> save = 0;  // Not 0: write a checkpoint.
    static_assert(std::atomic<int>::is_always_lock_free, "a signal handler must not take a lock");
};

struct RunInputs {
    Backend& backend;
    const nn::Module& model;
    nn::Parameters& parameters;
    Trainer& trainer;
    Batches& test;
    const DataDescription& data;  // `mean` must be set.
    uint32_t data_fingerprint = 0;
    std::span<const int64_t> test_labels;  // Of each image of `test`; empty: no confusion matrix.
    std::string config;                    // The resolved configuration, JSON text.
    std::string environment = {};          // See CheckpointInfo.
    double weight_decay = 0;               // As in OptimizerConfig.
    RowProgress rows;                      // From the checkpoint being resumed.
    double best_accuracy = -1;             // Of best.safetensors, if there is one.
    std::optional<int64_t> saved;          // The step of the checkpoint being resumed.
    Warn warn;                             // Called on this thread.
};

// Trains until `steps` updates are done. Writes a training row every run.log_every steps, evaluates every
// run.eval_every and writes a checkpoint every run.checkpoint_every; all three also after the last step. If
// signals.stop becomes nonzero, finishes the current step, writes a checkpoint and returns. RowProgress in the
// checkpoint ignores a row that is written between two regular rows only because the run stops. A resumed run removes
// that row, so that its rows equal those of an uninterrupted run. Checkpoints are written by a background thread.
// Throws DivergedError, without writing a checkpoint, if a loss, gradient or weight is not finite; Error if a
// checkpoint cannot be written.
void train(RunInputs& inputs, int64_t steps, const RunConfig& run, RunFolder& folder, Progress& progress,
           Signals& signals);

}  // namespace residual

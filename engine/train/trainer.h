// Training steps and evaluation.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/batches.h"
#include "engine/metrics/totals.h"
#include "engine/nn/layers.h"
#include "engine/ops/loss.h"
#include "engine/optim/schedule.h"
#include "engine/optim/sgd.h"
#include "engine/train/recorder.h"

namespace residual {

// The loss of one batch; its gradients are stored in `parameters`. Neither the loss nor the gradients include
// weight decay; the update adds it. `totals`, if defined, accumulates the metrics of the batch.
ops::LossResult compute_gradients(Backend& backend, const nn::Module& model, nn::Parameters& parameters,
                                  const Batch& batch, const Tensor& totals = {});

class Trainer {
  public:
    Trainer(Backend& backend, const nn::Module& model, nn::Parameters& parameters, Batches batches,
            const OptimizerConfig& optimizer, const ScheduleConfig& schedule);
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    // Updates done.
    int64_t step() const { return step_; }
    // Updates that the device has completed, at most step(). Does not wait for it. May be called from any thread.
    int64_t completed() { return completed_->completed(); }
    // Learning rate of the last update; 0 before the first.
    double last_learning_rate() const { return step_ == 0 ? 0 : learning_rate(schedule_, step_ - 1); }
    int batch_size() const { return batches_.batch_size(); }

    // One update: batch, forward, backward, SGD. Step number, learning rate and totals are in device memory, so that a
    // device that can record work replays the update without input from the host.
    void update();
    // The same without recording or replay.
    void update_eagerly();
    // What update() does next.
    Recorder::Next next_update() const { return recorder_.next(); }
    // Why the device could not record an update, so that update() runs each one eagerly; empty if it did not fail.
    const std::string& recording_failure() const { return recorder_.failure(); }
    // Averages over the updates since the last call.
    Averages take_averages() { return totals_.take(); }
    Averages peek_averages() const { return totals_.peek(); }

    // The sums behind the averages, for a checkpoint.
    kernels::Metrics sums() const { return totals_.read(); }
    // Sets the state after `step` updates. The caller restores weights and momenta.
    void restore(int64_t step, const kernels::Metrics& sums);

  private:
    void set_step(int64_t step);

    Batches batches_;
    Sgd optimizer_;
    ScheduleConfig schedule_;
    Totals totals_;
    Recorder recorder_;
    std::unique_ptr<ProgressCounter> completed_;
    int64_t step_ = 0;  // The host's copy of optimizer_.step().
};

struct Evaluation {
    double loss = 0;  // Mean cross-entropy.
    double accuracy = 0;
};

// Evaluates every image of `batches` once with the running statistics. `logits`, if given, receives [samples, classes]
// in the order of the data.
Evaluation evaluate(Backend& backend, const nn::Module& model, Batches& batches, std::vector<float>* logits = nullptr);

// The same, but stops and returns std::nullopt once `stop` is nonzero.
std::optional<Evaluation> evaluate_unless(const std::atomic<int>& stop, Backend& backend, const nn::Module& model,
                                          Batches& batches, std::vector<float>* logits = nullptr);

}  // namespace residual

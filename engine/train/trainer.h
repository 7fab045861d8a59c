// One training step, and the evaluation of a network.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "engine/data/batches.h"
#include "engine/metrics/totals.h"
#include "engine/nn/layers.h"
#include "engine/ops/loss.h"
#include "engine/optim/schedule.h"
#include "engine/optim/sgd.h"
#include "engine/train/recorder.h"

namespace residual {

// The loss of one batch and its gradients, left in `parameters`. The penalty on weights is not part of either: the
// update adds its gradient. `totals`, if defined, grows by the batch.
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
    // That of the update before this; 0 at the start.
    double last_learning_rate() const { return step_ == 0 ? 0 : learning_rate(schedule_, step_ - 1); }
    int batch_size() const { return batches_.batch_size(); }

    // One update: batch, forward, backward, SGD. The device needs nothing from the host for it: which step it is, the
    // rate and the totals stand there. Where the device can, it is recorded once and then replayed.
    void update();
    // The same without a recording.
    void update_eagerly();
    // Averages over the updates since the last call.
    Averages take_averages() { return totals_.take(); }
    Averages peek_averages() const { return totals_.peek(); }

    // What the averages are made of, to be kept with a checkpoint.
    kernels::Metrics sums() const { return totals_.read(); }
    // Goes on as if `step` updates had been done that left these sums. Weights and momenta are the caller's.
    void restore(int64_t step, const kernels::Metrics& sums);

  private:
    Batches batches_;
    Sgd optimizer_;
    ScheduleConfig schedule_;
    Totals totals_;
    Recorder recorder_;
    int64_t step_ = 0;  // The host's copy of optimizer_.step().
};

struct Evaluation {
    double loss = 0;  // Mean cross-entropy.
    double accuracy = 0;
};

// Evaluates every image of `batches` once, by the running statistics. `logits`, if given, receives [samples, classes]
// in the order of the data.
Evaluation evaluate(Backend& backend, const nn::Module& model, Batches& batches, std::vector<float>* logits = nullptr);

// The same, but gives up with nothing once `stop` is no longer 0.
std::optional<Evaluation> evaluate_unless(const std::atomic<int>& stop, Backend& backend, const nn::Module& model,
                                          Batches& batches, std::vector<float>* logits = nullptr);

}  // namespace residual

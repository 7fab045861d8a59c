// Stochastic gradient descent with momentum.
#pragma once

#include "engine/nn/parameters.h"
#include "engine/optim/config.h"

namespace residual {

// g = gradient + weight_decay * w, v = momentum * v + g, w -= rate * v; with Nesterov momentum w -= rate * (g +
// momentum * v). Weight decay applies to convolution and linear weights only. An update is one pass over all
// parameters. The schedule and the step number are in device memory, so an update needs no data from the host and can
// be recorded and replayed.
class Sgd {
  public:
    Sgd(Backend& backend, nn::Parameters& parameters, const OptimizerConfig& config, const ScheduleConfig& schedule);

    // Performs one update at the scheduled rate and increments step(). If `totals` (Totals::sums() in
    // engine/metrics/totals.h) is defined, adds the penalty of the weights before the update, times `batch`, and
    // records the number of the first update whose loss or new weights are not finite.
    void update(int batch, const Tensor& totals = {});

    // Number of updates done: [1] int64 in device memory.
    const Tensor& step() const { return params_.step; }
    // Sets the number of updates done, to resume a run.
    void set_step(int64_t step) { backend_.upload(&step, params_.step); }

  private:
    Backend& backend_;
    nn::Parameters& parameters_;
    SgdParams params_;
};

}  // namespace residual

// Stochastic gradient descent with momentum.
#pragma once

#include "engine/nn/parameters.h"
#include "engine/optim/config.h"

namespace residual {

// g = gradient + weight_decay * w, v = momentum * v + g, w -= rate * v, with weight decay on convolution and linear
// weights alone; with Nesterov's momentum w -= rate * (g + momentum * v). One pass over all parameters. The schedule
// and the number of the step lie on the device, so that an update needs nothing from the host.
class Sgd {
  public:
    Sgd(Backend& backend, nn::Parameters& parameters, const OptimizerConfig& config, const ScheduleConfig& schedule);

    // One update, at the schedule's rate for the number of updates before it. `totals` (see engine/metrics/totals.h),
    // if defined, grows by the penalty of the weights as they were, for a batch of `batch` images, and notes the
    // first step that leaves a loss or a weight that is not finite.
    void update(int batch, const Tensor& totals = {});

    // Updates done: [1] int64 on the device.
    const Tensor& step() const { return params_.step; }
    // Goes on as if `step` updates had been done.
    void set_step(int64_t step) { backend_.upload(&step, params_.step); }

  private:
    Backend& backend_;
    nn::Parameters& parameters_;
    SgdParams params_;
};

}  // namespace residual

// Stochastic gradient descent with momentum.
#pragma once

#include "engine/nn/parameters.h"
#include "engine/optim/config.h"

namespace engine {

// v = momentum * v + (gradient + weight_decay * w), w -= rate * v, with weight decay on convolution and linear weights
// alone; one pass over all parameters.
class Sgd {
  public:
    Sgd(Backend& backend, nn::Parameters& parameters, const OptimizerConfig& config);

    void step(double learning_rate);

    float weight_decay() const { return weight_decay_; }
    // Sum of the squares of the decayed weights, [1] float64 on the device.
    Tensor decayed_sum_squares() const;

  private:
    Backend& backend_;
    nn::Parameters& parameters_;
    float momentum_, weight_decay_;
    Tensor learning_rate_;
};

}  // namespace engine

#include "engine/optim/sgd.h"

namespace engine {

Sgd::Sgd(Backend& backend, nn::Parameters& parameters, const OptimizerConfig& config)
    : backend_(backend),
      parameters_(parameters),
      momentum_(static_cast<float>(config.momentum)),
      weight_decay_(static_cast<float>(config.weight_decay)),
      learning_rate_(backend.empty({1}, DType::kFloat32)) {}

void Sgd::step(double learning_rate) {
    const auto rate = static_cast<float>(learning_rate);
    backend_.upload(&rate, learning_rate_);
    backend_.sgd_momentum(parameters_.decayed_elements(), learning_rate_, momentum_, weight_decay_,
                          parameters_.gradients(), parameters_.momenta(), parameters_.weights(), parameters_.copies());
}

Tensor Sgd::decayed_sum_squares() const {
    const Tensor sum = backend_.empty({1}, DType::kFloat64);
    backend_.sum_squares(parameters_.weights().view(0, {parameters_.decayed_elements()}), sum);
    return sum;
}

}  // namespace engine

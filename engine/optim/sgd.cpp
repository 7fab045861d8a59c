#include "engine/optim/sgd.h"

namespace residual {

namespace {

SgdParams params_of(Backend& backend, const OptimizerConfig& config, const ScheduleConfig& schedule, int64_t decayed) {
    const auto count = static_cast<int64_t>(schedule.boundaries.size());
    RESIDUAL_ASSERT(static_cast<int64_t>(schedule.values.size()) == count + 1);
    const std::vector<float> rates(schedule.values.begin(), schedule.values.end());
    return {.boundaries = count == 0 ? Tensor() : backend.from_host(schedule.boundaries.data(), {count}),
            .rates = backend.from_host(rates.data(), {count + 1}),
            .step = backend.zeros({1}, DType::kInt64),
            .decayed = decayed,
            .momentum = static_cast<float>(config.momentum),
            .weight_decay = static_cast<float>(config.weight_decay),
            .nesterov = config.kind == OptimizerKind::nesterov};
}

}  // namespace

Sgd::Sgd(Backend& backend, nn::Parameters& parameters, const OptimizerConfig& config, const ScheduleConfig& schedule)
    : backend_(backend),
      parameters_(parameters),
      params_(params_of(backend, config, schedule, parameters.decayed_elements())) {}

void Sgd::update(int batch, const Tensor& totals) {
    backend_.sgd_momentum(params_, parameters_.gradients(), parameters_.momenta(), parameters_.weights(),
                          parameters_.copies(), batch, totals);
}

}  // namespace residual

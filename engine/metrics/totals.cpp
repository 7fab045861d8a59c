#include "engine/metrics/totals.h"

namespace engine {

Totals::Totals(Backend& backend)
    : backend_(backend), totals_(backend.zeros({sizeof(kernels::Metrics)}, DType::kUInt8)) {}

void Totals::add(const ops::LossResult& result, int batch, const Tensor& sum_squares, float weight_decay) {
    backend_.accumulate_metrics(result.loss.value(), result.correct, sum_squares, weight_decay, batch, totals_);
}

Averages Totals::take() {
    const Averages averages = peek();
    backend_.fill_zero(totals_);
    return averages;
}

Averages Totals::peek() const {
    kernels::Metrics sums;
    backend_.download(totals_, &sums);
    if (sums.samples == 0) return {};
    const auto n = static_cast<double>(sums.samples);
    return {sums.cross_entropy / n, sums.weight_penalty / n, static_cast<double>(sums.correct) / n};
}

}  // namespace engine

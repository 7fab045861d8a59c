#include "engine/metrics/totals.h"

namespace residual {

Totals::Totals(Backend& backend) : backend_(backend), sums_(backend.zeros({sizeof(kernels::Metrics)}, DType::kUInt8)) {}

Averages Totals::take() {
    const Averages averages = peek();
    backend_.fill_zero(sums_);
    return averages;
}

Averages Totals::peek() const {
    const kernels::Metrics metrics = read();
    if (metrics.samples == 0) return {.diverged_at = metrics.diverged_at};
    const auto n = static_cast<double>(metrics.samples);
    return {metrics.cross_entropy / n, metrics.weight_penalty / n, static_cast<double>(metrics.correct) / n,
            metrics.diverged_at};
}

kernels::Metrics Totals::read() const {
    kernels::Metrics metrics;
    backend_.download(sums_, &metrics);
    return metrics;
}

void Totals::write(const kernels::Metrics& sums) {
    backend_.upload(&sums, sums_);
}

}  // namespace residual

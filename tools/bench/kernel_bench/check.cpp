#include "tools/bench/kernel_bench/check.h"

#include <cmath>
#include <limits>

namespace residual::bench {

namespace {

// bfloat16 has 8 significant bits: rounding a value of 5 root mean squares changes it by up to 0.01, and a few such
// errors add up. In float32, sums of a million products of both signs lose up to 4e-4. An element in the wrong place is
// off by about 1.
double limit(DType activations) {
    return activations == DType::kBFloat16 ? 5e-2 : 1e-3;
}

double error_of(Backend& backend, const Output& output) {
    const Values found = download(backend, output.tensor);
    const Values expected = output.expected();
    RESIDUAL_ASSERT(!expected.empty() && found.size() % expected.size() == 0);
    double squares = 0;
    for (const double value : expected) squares += std::pow(value * output.factor, 2);
    const double scale = squares > 0 ? std::sqrt(squares / static_cast<double>(expected.size())) : 1.0;
    double largest = 0;
    for (size_t i = 0; i < found.size(); ++i) {
        const double difference = std::abs(found[i] - expected[i % expected.size()] * output.factor);
        if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
        largest = std::max(largest, difference);
    }
    if (output.tensor.dtype() == DType::kInt32 && largest > 0) return std::numeric_limits<double>::infinity();
    return largest / scale;
}

}  // namespace

Verdict check(Backend& backend, const Trial& trial, DType activations) {
    trial.run();
    backend.synchronize();
    Verdict worst{0, trial.outputs.front().name, true};
    for (const Output& output : trial.outputs) {
        const double error = error_of(backend, output);
        if (error > worst.error) worst = {error, output.name, error <= limit(activations)};
    }
    return worst;
}

}  // namespace residual::bench

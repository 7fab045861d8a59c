#include "tools/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/core/error.h"

namespace residual::tools {
namespace {

// The smallest of 1, 2, 5, 10 times a power of ten that is at least `value`.
double rounded_up(double value) {
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= value * (1 - 1e-9)) return factor * power;
    }
    return 10 * power;
}

}  // namespace

Axis::Axis(Scale scale, double low, double high, int count, Ends ends) : scale_(scale), low_(low), high_(high) {
    RESIDUAL_ASSERT(std::isfinite(low) && std::isfinite(high) && low <= high && count > 0);
    RESIDUAL_ASSERT(scale == Scale::linear || low > 0);
    if (scale == Scale::linear) {
        choose_linear_ticks(count, ends);
    } else {
        choose_logarithmic_ticks(count);
    }
}

void Axis::choose_linear_ticks(int count, Ends ends) {
    if (high_ - low_ <= 1e-9 * std::max(std::abs(low_), std::abs(high_)))
        high_ = low_ + (low_ == 0 ? 1 : std::abs(low_));
    const double step = rounded_up((high_ - low_) / count);
    // Also if the division is not exact, a value at a tick is not taken for one beyond it.
    const double low = low_ / step, high = high_ / step, tolerance = 1e-9;
    const bool extended = ends == Ends::at_ticks;
    const double first = extended ? std::floor(low + tolerance) : std::ceil(low - tolerance);
    const double last = extended ? std::ceil(high - tolerance) : std::floor(high + tolerance);
    for (double i = first; i <= last; ++i) ticks_.push_back(i * step);
    if (!extended) return;
    low_ = ticks_.front();
    high_ = ticks_.back();
}

void Axis::choose_logarithmic_ticks(int count) {
    if (high_ <= low_ * 1.01) {
        low_ /= 2;
        high_ *= 2;
    }
    // The densest of these sets of ticks per decade that is not too dense; then every n-th power of ten.
    const double decades = std::log10(high_ / low_);
    std::vector<double> factors = {1};
    if (decades * 3 <= count) {
        factors = {1, 2, 5};
    } else if (decades * 2 <= count) {
        factors = {1, 3};
    }
    const auto stride = static_cast<int>(std::max(1.0, std::ceil(decades / count)));
    const auto first = static_cast<int>(std::floor(std::log10(low_))),
               last = static_cast<int>(std::ceil(std::log10(high_)));
    for (int power = first; power <= last; power += stride) {
        for (const double factor : factors) {
            const double tick = factor * std::pow(10, power);
            if (tick >= low_ * (1 - 1e-9) && tick <= high_ * (1 + 1e-9)) ticks_.push_back(tick);
        }
    }
}

double Axis::position(double value) const {
    if (scale_ == Scale::linear) return (value - low_) / (high_ - low_);
    return std::log(std::max(value, 1e-300) / low_) / std::log(high_ / low_);
}

std::string tick_label(double value) {
    if (std::abs(value) < 1e-12) return "0";
    if (std::abs(value) >= 1000 && std::abs(value) < 1e12 && value == std::floor(value)) {
        return fmt::format("{}", fmt::group_digits(static_cast<int64_t>(value)));
    }
    return fmt::format("{:.6g}", value);
}

}  // namespace residual::tools

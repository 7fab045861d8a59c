#include "kernels/optimizer.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;

namespace {

struct SgdCase {
    int64_t n, decayed;
    int offset;  // of every array, in elements: 0 is aligned for the widest access
};

const SgdCase kCases[] = {{1, 0, 0},       {1, 1, 0},       {3, 1, 0},         {7, 3, 0},
                          {1001, 1001, 0}, {1001, 0, 0},    {4096, 4094, 0},   {4097, 4096, 0},
                          {9, 6, 1},       {2050, 1030, 1}, {50003, 40001, 0}, {50003, 40001, 2}};

constexpr float kMomentum = 0.9f, kDecay = 0.05f;
constexpr int kBatch = 16;
const std::vector<int64_t> kBoundaries = {1, 3};
const std::vector<float> kRates = {0.1f, 0.0f, 0.5f};

// The state before the first step.
struct Start {
    std::vector<float> weight, velocity;
    int64_t step = 0;
    residual::kernels::Metrics totals{1.0, 0.25, 3, 4, 0};
    bool nesterov = false;
};

// The state of one optimizer, stored at `offset` elements into its arrays.
template <class Device>
class Optimizer {
  public:
    Optimizer(const SgdCase& s, const Start& start)
        : case_(s),
          nesterov_(start.nesterov),
          boundaries_(kBoundaries),
          rates_(kRates),
          weight_(shifted(start.weight)),
          velocity_(shifted(start.velocity)),
          copy_(s.n + s.offset),
          scratch_(residual::kernels::sgd_momentum_scratch_floats(Device::exec(), shape())),
          tickets_(std::vector<uint32_t>(residual::kernels::kTickets, 0)),
          step_(std::vector<int64_t>{start.step}),
          totals_(std::vector<residual::kernels::Metrics>{start.totals}) {}

    void step(const std::vector<float>& gradients, bool with_copy, bool with_totals) {
        typename Device::template Array<float> gradient(shifted(gradients));
        const int k = case_.offset;
        residual::kernels::sgd_momentum(Device::exec(), shape(), {boundaries_.data(), rates_.data(), 2}, step_.data(),
                                        gradient.data() + k, velocity_.data() + k, weight_.data() + k,
                                        with_copy ? copy_.data() + k : nullptr, with_totals ? totals_.data() : nullptr,
                                        {scratch_.data(), tickets_.data()});
    }

    std::vector<float> weight() const { return part(weight_.read()); }
    std::vector<float> velocity() const { return part(velocity_.read()); }
    std::vector<bfloat16> copy() const { return part(copy_.read()); }
    std::vector<uint32_t> tickets() const { return tickets_.read(); }
    int64_t steps() const { return step_.read()[0]; }
    residual::kernels::Metrics totals() const { return totals_.read()[0]; }

  private:
    residual::kernels::SgdShape shape() const { return {case_.n, case_.decayed, kMomentum, kDecay, nesterov_, kBatch}; }
    std::vector<float> shifted(std::vector<float> values) const {
        values.insert(values.begin(), case_.offset, -1.0f);
        return values;
    }
    template <class T>
    std::vector<T> part(const std::vector<T>& values) const {
        return {values.begin() + case_.offset, values.end()};
    }

    SgdCase case_;
    bool nesterov_;
    typename Device::template Array<int64_t> boundaries_;
    typename Device::template Array<float> rates_, weight_, velocity_;
    typename Device::template Array<bfloat16> copy_;
    typename Device::template Array<float> scratch_;
    typename Device::template Array<uint32_t> tickets_;
    typename Device::template Array<int64_t> step_;
    typename Device::template Array<residual::kernels::Metrics> totals_;
};

template <class Device>
void sgd_cases(bool nesterov) {
    for (const SgdCase& s : kCases) {
        CAPTURE(s.n, s.decayed, s.offset);
        const auto start = uniform_values<float>(s.n, 1);
        Optimizer<Device> optimizer(s, {.weight = start, .velocity = std::vector<float>(s.n), .nesterov = nesterov});
        std::vector<double> w(start.begin(), start.end()), v(s.n, 0.0);
        double penalty = 0.25;
        for (int step = 0; step < 5; ++step) {
            CAPTURE(step);
            const auto g = uniform_values<float>(s.n, 10 + step);
            const bool with_totals = step != 2;
            const double rate = kRates[step < 1 ? 0 : step < 3 ? 1 : 2];
            // The penalty of the actual weights before the step, which differ from the reference by rounding.
            const auto before = optimizer.weight();
            double squares = 0.0;
            for (int64_t i = 0; i < s.n; ++i) {
                if (i < s.decayed) squares += static_cast<double>(before[i]) * before[i];
                const double slope = g[i] + (i < s.decayed ? kDecay * w[i] : 0.0);
                v[i] = kMomentum * v[i] + slope;
                w[i] -= rate * (nesterov ? slope + kMomentum * v[i] : v[i]);
            }
            if (with_totals) penalty += 0.5 * kDecay * squares * kBatch;
            optimizer.step(g, step == 4, with_totals);
            check_close(optimizer.weight(), w);
            check_close(optimizer.velocity(), v);
            CHECK(optimizer.steps() == step + 1);
            CHECK(std::abs(optimizer.totals().weight_penalty - penalty) <= 1e-12 * penalty);
        }
        std::vector<double> rounded;
        for (const float value : optimizer.weight()) rounded.push_back(to_double(bfloat16(value)));
        check_equal(optimizer.copy(), rounded);
        CHECK(optimizer.totals().cross_entropy == 1.0);
        CHECK(optimizer.totals().correct == 3);
        CHECK(optimizer.totals().samples == 4);
        CHECK(optimizer.totals().diverged_at == 0);
        CHECK(optimizer.tickets() == std::vector<uint32_t>(residual::kernels::kTickets, 0));
    }
}

template <class Device>
void momentum_cases() {
    sgd_cases<Device>(false);
}

template <class Device>
void nesterov_cases() {
    sgd_cases<Device>(true);
}

// Enough elements for several iterations of every block.
template <class Device>
void large_case() {
    const SgdCase s{540007, 530003, 0};
    const auto start = uniform_values<float>(s.n, 2), gradient = uniform_values<float>(s.n, 3);
    double squares = 0.0;
    for (int64_t i = 0; i < s.decayed; ++i) squares += static_cast<double>(start[i]) * start[i];
    const Start begin{start, std::vector<float>(s.n)};
    Optimizer<Device> first(s, begin), second(s, begin);
    first.step(gradient, true, true);
    second.step(gradient, true, true);
    const double penalty = 0.25 + 0.5 * kDecay * squares * kBatch;
    CHECK(std::abs(first.totals().weight_penalty - penalty) <= 1e-12 * penalty);
    CHECK(first.totals().weight_penalty == second.totals().weight_penalty);
    std::vector<double> expected(start.begin(), start.end());
    for (int64_t i = 0; i < s.n; ++i)
        expected[i] -= kRates[0] * (gradient[i] + (i < s.decayed ? kDecay * start[i] : 0.0));
    check_close(first.weight(), expected);
}

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

// One element is not finite: the first, the last with weight decay, the first without, the last of a full block of
// threads, or the last.
template <class Device>
void not_finite(bool nesterov) {
    for (const int offset : {0, 1}) {
        const SgdCase s{1030, 520, offset};
        const auto weight = uniform_values<float>(s.n, 4), velocity = uniform_values<float>(s.n, 5);
        const auto gradient = uniform_values<float>(s.n, 6);
        for (const int64_t element : {0, 519, 520, 1023, 1029}) {
            for (const int64_t step : {0, 2}) {  // rates 0.1 and 0
                for (const float value : {kNan, kInfinity, -kInfinity}) {
                    for (const int array : {0, 1, 2}) {
                        CAPTURE(offset, element, step, value, array);
                        Start start{.weight = weight, .velocity = velocity, .step = step, .nesterov = nesterov};
                        auto first = gradient;
                        (array == 0 ? start.weight : array == 1 ? start.velocity : first)[element] = value;
                        Optimizer<Device> optimizer(s, start);
                        optimizer.step(first, false, true);
                        CHECK(optimizer.totals().diverged_at == step + 1);
                        CHECK(!std::isfinite(optimizer.weight()[element]));
                        optimizer.step(gradient, false, true);
                        CHECK(optimizer.totals().diverged_at == step + 1);
                    }
                }
            }
        }
    }
}

template <class Device>
void not_finite_cases() {
    for (const bool nesterov : {false, true}) not_finite<Device>(nesterov);
}

template <class Device>
void diverging() {
    const SgdCase s{7, 3, 0};
    const std::vector<float> ones(s.n, 1.0f), zeros(s.n, 0.0f);
    std::vector<float> large = ones;
    large[5] = -2e38f;

    Optimizer<Device> growing(s, {large, zeros, 2});
    for (const int64_t diverged_at : {0, 0, 5, 5}) {  // rates 0, 0.5, 0.5, 0.5: the third step overflows
        CAPTURE(growing.steps());
        growing.step(std::vector<float>(s.n, 3e37f * static_cast<float>(growing.steps())), false, true);
        CHECK(growing.totals().diverged_at == diverged_at);
    }
    for (const double loss : {static_cast<double>(kNan), static_cast<double>(kInfinity)}) {
        Optimizer<Device> lost(s, {ones, zeros, 0, {loss, 0.25, 3, 4, 0}});
        lost.step(ones, false, true);
        CHECK(lost.totals().diverged_at == 1);
        lost.step(ones, false, true);
        CHECK(lost.totals().diverged_at == 1);
    }
}

template <class Device>
void constant_rate() {
    typename Device::template Array<float> rate(std::vector<float>{0.5f}), weight(std::vector<float>{1.0f});
    typename Device::template Array<float> velocity(std::vector<float>{0.0f}), gradient(std::vector<float>{1.0f});
    const residual::kernels::SgdShape shape{1, 0, 0.0f, 0.0f, false, 1};
    typename Device::template Array<float> scratch(
        residual::kernels::sgd_momentum_scratch_floats(Device::exec(), shape));
    typename Device::template Array<uint32_t> tickets(std::vector<uint32_t>(residual::kernels::kTickets, 0));
    typename Device::template Array<int64_t> step(std::vector<int64_t>{int64_t{1} << 40});
    residual::kernels::sgd_momentum(Device::exec(), shape, {nullptr, rate.data(), 0}, step.data(), gradient.data(),
                                    velocity.data(), weight.data(), nullptr, nullptr, {scratch.data(), tickets.data()});
    CHECK(weight.read()[0] == 0.5f);
    CHECK(step.read()[0] == (int64_t{1} << 40) + 1);
}

}  // namespace

DEVICE_TEST_CASE("SGD with momentum and weight decay: weights, penalty and step over a schedule",
                 "[kernels][optimizer]", momentum_cases)
DEVICE_TEST_CASE("SGD with Nesterov's momentum: weights, penalty and step over a schedule", "[kernels][optimizer]",
                 nesterov_cases)
DEVICE_TEST_CASE("SGD of many parameters is deterministic", "[kernels][optimizer]", large_case)
DEVICE_TEST_CASE("SGD records the step with a gradient, velocity or weight that is not finite", "[kernels][optimizer]",
                 not_finite_cases)
DEVICE_TEST_CASE("SGD records the step that overflows, and a loss that is not finite", "[kernels][optimizer]",
                 diverging)
DEVICE_TEST_CASE("SGD at a constant rate, at a late step", "[kernels][optimizer]", constant_rate)

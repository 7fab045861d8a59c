#include "kernels/optimizer.h"

#include <cstdint>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/places.h"
#include "tests/kernels/values.h"

using kernels::bfloat16;

namespace {

struct SgdCase {
    int64_t n, decayed;
};

const SgdCase kCases[] = {{1, 0}, {1, 1}, {7, 3}, {1001, 1001}, {1001, 0}, {50003, 40001}};

template <class Place>
void sgd_cases() {
    constexpr float kRate = 0.1f, kMomentum = 0.9f, kDecay = 0.05f;
    for (const SgdCase& s : kCases) {
        CAPTURE(s.n, s.decayed);
        const auto start = uniform_values<float>(s.n, 1);
        typename Place::template Array<float> weight(start), velocity(std::vector<float>(s.n, 0.0f));
        typename Place::template Array<float> rate(std::vector<float>{kRate});
        typename Place::template Array<bfloat16> copy(s.n);
        std::vector<double> w(start.begin(), start.end()), v(s.n, 0.0);
        for (unsigned step = 0; step < 3; ++step) {
            const auto g = uniform_values<float>(s.n, 10 + step);
            for (int64_t i = 0; i < s.n; ++i) {
                v[i] = kMomentum * v[i] + g[i] + (i < s.decayed ? kDecay * w[i] : 0.0);
                w[i] -= kRate * v[i];
            }
            typename Place::template Array<float> gradient(g);
            kernels::sgd_momentum(Place::exec(), s.n, s.decayed, rate.data(), kMomentum, kDecay, gradient.data(),
                                  velocity.data(), weight.data(), step == 2 ? copy.data() : nullptr);
        }
        check_close(weight.read(), w);
        check_close(velocity.read(), v);
        std::vector<double> rounded;
        for (const float value : weight.read()) rounded.push_back(to_double(bfloat16(value)));
        check_equal(copy.read(), rounded);
    }
}

template <class Place>
void sum_squares_cases() {
    for (const int64_t n : {1, 3, 257, 4096, 4097, 855770}) {
        CAPTURE(n);
        const auto x = uniform_values<float>(n, 2);
        double expected = 0.0;
        for (const float value : x) expected += static_cast<double>(value) * value;
        typename Place::template Array<float> input(x);
        typename Place::template Array<float> scratch(kernels::sum_squares_scratch_floats(Place::exec(), n));
        typename Place::template Array<double> result(1), again(1);
        kernels::sum_squares(Place::exec(), n, input.data(), result.data(), scratch.data());
        kernels::sum_squares(Place::exec(), n, input.data(), again.data(), scratch.data());
        CHECK(std::abs(result.read()[0] - expected) <= 1e-12 * expected);
        CHECK(result.read()[0] == again.read()[0]);
    }
}

}  // namespace

PLACED_TEST_CASE("SGD with momentum and weight decay, three steps", "[kernels][optimizer]", sgd_cases)
PLACED_TEST_CASE("Sum of squares, the same every time", "[kernels][optimizer]", sum_squares_cases)

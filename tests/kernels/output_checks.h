// Checks of the outputs of the fused convolutions: rounded pixels, their statistics, and unmodified inputs.
#pragma once

#include <cmath>
#include <cstring>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/values.h"
#include "tools/reference/batch_norm.h"

// Each element to one unit in the last place of bfloat16 plus `slack` for cancellation; more tightly in relative L2.
inline void check_rounded(const std::vector<residual::kernels::bfloat16>& actual, const std::vector<double>& expected,
                          double slack) {
    REQUIRE(actual.size() == expected.size());
    size_t wrong = 0;
    for (size_t i = 0; i < actual.size(); ++i) {
        const double error = std::abs(to_double(actual[i]) - expected[i]);
        wrong += error <= std::abs(expected[i]) / 128 + slack ? 0 : 1;  // false for a NaN
    }
    CHECK(wrong == 0);
    CHECK(relative_l2(actual, expected) <= 4e-3);
}

// The statistics of `values` [rows, channels].
inline void check_statistics(const std::vector<residual::kernels::bfloat16>& values, const std::vector<float>& mean,
                             const std::vector<float>& variance) {
    const residual::reference::Moments moments = residual::reference::moments_of(to_doubles(values), mean.size());
    for (size_t c = 0; c < mean.size(); ++c) {
        const double expected = moments.mean[c], expected_variance = moments.variance[c];
        CAPTURE(c, mean[c], expected, variance[c], expected_variance);
        CHECK(std::abs(mean[c] - expected) <= 1e-6 * (std::abs(expected) + std::sqrt(expected_variance)));
        CHECK(std::abs(variance[c] - expected_variance) <= 1e-5 * expected_variance);
    }
}

template <class Array, class T>
void check_unchanged(const Array& array, const std::vector<T>& before) {
    const std::vector<T> now = array.read();
    CHECK(std::memcmp(now.data(), before.data(), before.size() * sizeof(T)) == 0);
}

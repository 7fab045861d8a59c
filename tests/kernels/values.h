// Random inputs, and comparison with a double-precision reference.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "kernels/bfloat16.h"
#include "tests/catch.h"

// Tolerance of a kernel's relative L2 error against the reference computed from the same (rounded) inputs.
template <class T>
constexpr double kTolerance = std::is_same_v<T, residual::kernels::bfloat16> ? 1e-2 : 1e-5;

template <class T>
double to_double(T value) {
    return static_cast<double>(residual::kernels::to_float(value));
}

template <class T>
std::vector<double> to_doubles(const std::vector<T>& values) {
    std::vector<double> doubles(values.size());
    for (size_t i = 0; i < values.size(); ++i) doubles[i] = to_double(values[i]);
    return doubles;
}

// n values uniform in [low, high), rounded to T.
template <class T>
std::vector<T> uniform_values(size_t n, unsigned seed, double low = -1.0, double high = 1.0) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<double> distribution(low, high);
    std::vector<T> values(n);
    for (T& value : values) value = residual::kernels::from_float<T>(static_cast<float>(distribution(generator)));
    return values;
}

// n NaNs, none of which may remain in an output.
template <class T>
std::vector<T> nan_values(size_t n) {
    return std::vector<T>(n, residual::kernels::from_float<T>(std::numeric_limits<float>::quiet_NaN()));
}

// |actual - expected| / |expected|, or |actual - expected| if all expected values are zero; NaN if any value is.
template <class T>
double relative_l2(const std::vector<T>& actual, const std::vector<double>& expected) {
    REQUIRE(actual.size() == expected.size());
    double error = 0.0, norm = 0.0;
    for (size_t i = 0; i < actual.size(); ++i) {
        const double difference = to_double(actual[i]) - expected[i];
        error += difference * difference;
        norm += expected[i] * expected[i];
    }
    return std::sqrt(error) / (norm > 0.0 ? std::sqrt(norm) : 1.0);
}

template <class T>
void check_close(const std::vector<T>& actual, const std::vector<double>& expected, double tolerance = kTolerance<T>) {
    CHECK(relative_l2(actual, expected) <= tolerance);
}

template <class T>
void check_equal(const std::vector<T>& actual, const std::vector<double>& expected) {
    REQUIRE(actual.size() == expected.size());
    size_t different = 0;
    for (size_t i = 0; i < actual.size(); ++i) different += to_double(actual[i]) == expected[i] ? 0 : 1;
    CHECK(different == 0);
}

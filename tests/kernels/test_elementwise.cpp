#include "kernels/elementwise.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;

namespace {

const int64_t kCounts[] = {1, 3, 7, 16, 255, 4097, 70001};

// Random values, and every fifth one 0 or -0.
template <class T>
std::vector<T> values_with_zeros(size_t n, unsigned seed) {
    std::vector<T> values = uniform_values<T>(n, seed);
    for (size_t i = 0; i < n; i += 5) values[i] = residual::kernels::from_float<T>(i % 2 == 0 ? 0.0f : -0.0f);
    return values;
}

template <class Device, class T>
void relu_of() {
    for (const int64_t n : kCounts) {
        CAPTURE(n);
        const auto x = values_with_zeros<T>(n, 1);
        const auto dy = uniform_values<T>(n, 2);
        std::vector<double> expected_y(n), expected_dx(n);
        for (int64_t i = 0; i < n; ++i) {
            expected_y[i] = std::fmax(to_double(x[i]), 0.0);
            expected_dx[i] = to_double(x[i]) > 0.0 ? to_double(dy[i]) : 0.0;
        }
        typename Device::template Array<T> input(x), upstream(dy), y(n), dx(n);
        residual::kernels::relu(Device::exec(), n, input.data(), y.data());
        check_equal(y.read(), expected_y);
        residual::kernels::relu_backward(Device::exec(), n, y.data(), upstream.data(), dx.data());
        check_equal(dx.read(), expected_dx);
        residual::kernels::relu(Device::exec(), n, input.data(), input.data());
        check_equal(input.read(), expected_y);
        residual::kernels::relu_backward(Device::exec(), n, y.data(), upstream.data(), upstream.data());
        check_equal(upstream.read(), expected_dx);
    }
    const T nan = residual::kernels::from_float<T>(std::numeric_limits<float>::quiet_NaN());
    typename Device::template Array<T> input(std::vector<T>(3, nan)), y(3);
    residual::kernels::relu(Device::exec(), 3, input.data(), y.data());
    for (const T value : y.read()) CHECK(std::isnan(to_double(value)));
}

template <class Device>
void relu_cases() {
    relu_of<Device, float>();
    relu_of<Device, bfloat16>();
}

template <class Device, class T>
void add_of() {
    for (const int64_t n : kCounts) {
        CAPTURE(n);
        const auto a = uniform_values<T>(n, 3), b = uniform_values<T>(n, 4);
        std::vector<double> expected(n);
        // The float sum, rounded once to T.
        for (int64_t i = 0; i < n; ++i) {
            expected[i] =
                to_double(residual::kernels::from_float<T>(static_cast<float>(to_double(a[i]) + to_double(b[i]))));
        }
        typename Device::template Array<T> left(a), right(b), y(n);
        residual::kernels::add(Device::exec(), n, left.data(), right.data(), y.data());
        check_equal(y.read(), expected);
        residual::kernels::add(Device::exec(), n, left.data(), right.data(), left.data());
        check_equal(left.read(), expected);
        typename Device::template Array<T> first(a);
        residual::kernels::add(Device::exec(), n, first.data(), right.data(), right.data());
        check_equal(right.read(), expected);
    }
}

template <class Device>
void add_cases() {
    add_of<Device, float>();
    add_of<Device, bfloat16>();
}

template <class Device>
void cast_cases() {
    for (const int64_t n : kCounts) {
        CAPTURE(n);
        const auto x = uniform_values<float>(n, 5, -100.0, 100.0);
        std::vector<double> rounded(n);
        for (int64_t i = 0; i < n; ++i) rounded[i] = to_double(bfloat16(x[i]));
        typename Device::template Array<float> wide(x), again(n);
        typename Device::template Array<bfloat16> narrow(n);
        residual::kernels::cast(Device::exec(), n, wide.data(), narrow.data());
        check_equal(narrow.read(), rounded);
        residual::kernels::cast(Device::exec(), n, narrow.data(), again.data());
        check_equal(again.read(), rounded);
    }
}

template <class Device, class T>
void fill_of() {
    for (const int64_t n : kCounts) {
        CAPTURE(n);
        typename Device::template Array<T> y(n);
        residual::kernels::fill(Device::exec(), n, residual::kernels::from_float<T>(-2.5f), y.data());
        check_equal(y.read(), std::vector<double>(n, -2.5));
    }
}

template <class Device>
void fill_cases() {
    fill_of<Device, float>();
    fill_of<Device, bfloat16>();
}

}  // namespace

DEVICE_TEST_CASE("ReLU and its gradient", "[kernels][elementwise]", relu_cases)
DEVICE_TEST_CASE("add rounds once and may overwrite an input", "[kernels][elementwise]", add_cases)
DEVICE_TEST_CASE("cast between float and bfloat16", "[kernels][elementwise]", cast_cases)
DEVICE_TEST_CASE("fill", "[kernels][elementwise]", fill_cases)

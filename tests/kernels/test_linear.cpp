#include "kernels/linear.h"

#include <vector>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"

namespace {

struct LinearCase {
    int rows, columns;
};

const LinearCase kCases[] = {{1, 1}, {1, 10}, {3, 7}, {128, 10}, {257, 13}, {1000, 100}};

template <class Device>
void linear_cases() {
    for (const LinearCase& s : kCases) {
        CAPTURE(s.rows, s.columns);
        const auto x = uniform_values<float>(static_cast<size_t>(s.rows) * s.columns, 1);
        const auto bias = uniform_values<float>(s.columns, 2);
        std::vector<double> expected_y(x.size()), expected_sum(s.columns, 0.0);
        for (size_t i = 0; i < x.size(); ++i) {
            expected_y[i] = to_double(x[i]) + to_double(bias[i % s.columns]);
            expected_sum[i % s.columns] += to_double(x[i]);
        }
        typename Device::template Array<float> input(x), biases(bias), sum(s.columns);
        residual::kernels::column_sum(Device::exec(), s.rows, s.columns, input.data(), sum.data());
        check_close(sum.read(), expected_sum);
        residual::kernels::add_bias(Device::exec(), s.rows, s.columns, biases.data(), input.data());
        check_close(input.read(), expected_y);
    }
}

}  // namespace

DEVICE_TEST_CASE("Bias and column sum", "[kernels][linear]", linear_cases)

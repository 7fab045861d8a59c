#include "kernels/pool.h"

#include <vector>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;

namespace {

struct PoolCase {
    int batch, pixels, channels;
};

const PoolCase kCases[] = {{1, 1, 1}, {1, 49, 3}, {5, 7, 13}, {3, 1, 64}, {128, 64, 64}, {2, 1000, 17}};

template <class Device, class T>
void pool_of() {
    for (const PoolCase& s : kCases) {
        CAPTURE(s.batch, s.pixels, s.channels);
        const auto x = uniform_values<T>(static_cast<size_t>(s.batch) * s.pixels * s.channels, 1);
        const auto dy = uniform_values<float>(static_cast<size_t>(s.batch) * s.channels, 2);
        std::vector<double> expected_y(dy.size(), 0.0), expected_dx(x.size());
        for (int n = 0; n < s.batch; ++n)
            for (int p = 0; p < s.pixels; ++p)
                for (int c = 0; c < s.channels; ++c) {
                    const size_t in = (static_cast<size_t>(n) * s.pixels + p) * s.channels + c;
                    const size_t out = static_cast<size_t>(n) * s.channels + c;
                    expected_y[out] += to_double(x[in]) / s.pixels;
                    expected_dx[in] = to_double(dy[out]) / s.pixels;
                }
        typename Device::template Array<T> input(x), dx(x.size());
        typename Device::template Array<float> upstream(dy), y(dy.size());
        residual::kernels::global_average_pool(Device::exec(), s.batch, s.pixels, s.channels, input.data(), y.data());
        check_close(y.read(), expected_y);
        residual::kernels::global_average_pool_backward(Device::exec(), s.batch, s.pixels, s.channels, upstream.data(),
                                                        dx.data());
        check_close(dx.read(), expected_dx);
    }
}

template <class Device>
void pool_cases() {
    pool_of<Device, float>();
    pool_of<Device, bfloat16>();
}

}  // namespace

DEVICE_TEST_CASE("Global average pool and its gradient", "[kernels][pool]", pool_cases)

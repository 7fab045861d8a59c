#include <omp.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/batch_norm.h"
#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"
#include "tools/reference/batch_norm.h"

using residual::kernels::BatchNormShape;
using residual::kernels::bfloat16;

namespace {

struct StatsCase {
    BatchNormShape shape;
    double mean, spread;  // uniform in mean - spread .. mean + spread
};

const StatsCase kCases[] = {
    {{1, 1}, 1.0, 1.0},          {{1, 33}, 0.0, 1.0},         {{2, 3}, 0.0, 1.0},       {{5, 300}, 2.0, 1.0},
    {{63, 1}, 0.0, 1.0},         {{257, 257}, -3.0, 1.0},     {{1000, 17}, 0.0, 1.0},   {{4097, 64}, 0.5, 2.0},
    {{100003, 16}, 0.0, 1.0},    {{131072, 16}, 1.0, 1.0},    {{20000, 3}, 1e-4, 1e-6}, {{20000, 16}, 1000.0, 0.02},
    {{131072, 5}, 1000.0, 0.02}, {{700, 300}, -1000.0, 0.02},
};

void check_statistics(const BatchNormShape& s, const std::vector<float>& mean, const std::vector<float>& variance,
                      const residual::reference::Moments& expected) {
    check_close(mean, expected.mean);
    check_close(variance, expected.variance);
    if (s.rows == 1) check_equal(variance, std::vector<double>(s.channels, 0.0));
}

template <class Device, class T>
void stats_of() {
    for (const StatsCase& test : kCases) {
        const BatchNormShape& s = test.shape;
        CAPTURE(s.rows, s.channels, test.mean, test.spread);
        const size_t n = static_cast<size_t>(s.rows) * s.channels;
        const auto x = uniform_values<T>(n, 1, test.mean - test.spread, test.mean + test.spread);
        const auto residual = uniform_values<T>(n, 2, -test.spread, test.spread);
        typename Device::template Array<T> y(x), added(residual);
        typename Device::template Array<float> mean(s.channels), variance(s.channels);
        typename Device::template Array<float> scratch(
            residual::kernels::batch_stats_scratch_floats(Device::exec(), s));
        residual::kernels::batch_stats(Device::exec(), s, y.data(), mean.data(), variance.data(), scratch.data());
        check_statistics(s, mean.read(), variance.read(), residual::reference::moments_of(to_doubles(x), s.channels));

        std::vector<double> sum(n);
        std::vector<T> stored(n);
        for (size_t i = 0; i < n; ++i) {
            stored[i] = residual::kernels::from_float<T>(residual::kernels::to_float(x[i]) +
                                                         residual::kernels::to_float(residual[i]));
            sum[i] = to_double(stored[i]);
        }
        residual::kernels::add_batch_stats(Device::exec(), s, added.data(), y.data(), mean.data(), variance.data(),
                                           scratch.data());
        check_equal(y.read(), sum);
        check_statistics(s, mean.read(), variance.read(),
                         residual::reference::moments_of(to_doubles(stored), s.channels));
    }
}

template <class Device>
void stats_cases() {
    stats_of<Device, float>();
    stats_of<Device, bfloat16>();
}

// The mean grows with the rows, so that blocks with very different means are merged.
template <class Device>
void drifting_mean() {
    const BatchNormShape s{30000, 7};
    std::vector<float> x = uniform_values<float>(static_cast<size_t>(s.rows) * s.channels, 3);
    for (size_t i = 0; i < x.size(); ++i) x[i] += 1e-3f * static_cast<float>(i / s.channels);
    typename Device::template Array<float> input(x), mean(s.channels), variance(s.channels);
    typename Device::template Array<float> scratch(residual::kernels::batch_stats_scratch_floats(Device::exec(), s));
    residual::kernels::batch_stats(Device::exec(), s, input.data(), mean.data(), variance.data(), scratch.data());
    check_statistics(s, mean.read(), variance.read(), residual::reference::moments_of(to_doubles(x), s.channels));
}

// The results of all reductions with the current number of threads.
template <class Host>
std::vector<float> reductions(const BatchNormShape& s, const std::vector<float>& x, const std::vector<float>& dy) {
    const Host host;
    std::vector<float> mean(s.channels), variance(s.channels), dgamma(s.channels), dbeta(s.channels);
    const std::vector<float> ones(s.channels, 1.0f), zeros(s.channels, 0.0f);
    std::vector<float> scratch(residual::kernels::batch_stats_scratch_floats(host, s));
    residual::kernels::batch_stats(host, s, x.data(), mean.data(), variance.data(), scratch.data());
    residual::kernels::batch_norm_backward_reduce(host, s, dy.data(), x.data(), mean.data(), variance.data(),
                                                  ones.data(), zeros.data(), 1e-3f, true, dgamma.data(), dbeta.data(),
                                                  scratch.data());
    std::vector<float> all = mean;
    for (const auto* part : {&variance, &dgamma, &dbeta}) all.insert(all.end(), part->begin(), part->end());
    return all;
}

template <class Device>
void reductions_by_threads() {
    using Host = decltype(Device::exec());
    const int threads = omp_get_max_threads();
    for (const BatchNormShape& s : {BatchNormShape{40001, 16}, BatchNormShape{1000, 300}}) {
        CAPTURE(s.rows, s.channels);
        const size_t n = static_cast<size_t>(s.rows) * s.channels;
        const auto x = uniform_values<float>(n, 1), dy = uniform_values<float>(n, 2);
        omp_set_num_threads(1);
        const std::vector<float> expected = reductions<Host>(s, x, dy);
        for (const int count : {2, 3, 7}) {
            CAPTURE(count);
            omp_set_num_threads(count);
            CHECK(reductions<Host>(s, x, dy) == expected);
        }
        omp_set_num_threads(threads);
    }
}

}  // namespace

DEVICE_TEST_CASE("Batch statistics, including means much larger than the deviation", "[kernels][batch_norm]",
                 stats_cases)
DEVICE_TEST_CASE("Batch statistics of a drifting mean", "[kernels][batch_norm]", drifting_mean)

HOST_TEST_CASE("Reductions give the same bits with any number of threads", "[kernels][batch_norm]",
               reductions_by_threads)

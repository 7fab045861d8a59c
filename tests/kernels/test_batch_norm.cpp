#include "kernels/batch_norm.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/output_checks.h"
#include "tests/kernels/values.h"

using residual::kernels::BatchNormShape;
using residual::kernels::bfloat16;

namespace {

constexpr float kEpsilon = 1e-3f;

const BatchNormShape kShapes[] = {
    {1, 1},     {1, 5},    {2, 3},     {3, 300},   {7, 16},    {63, 1},
    {1000, 17}, {129, 64}, {517, 256}, {211, 257}, {4099, 16}, {40001, 32},
};

size_t elements(const BatchNormShape& shape) {
    return static_cast<size_t>(shape.rows) * shape.channels;
}

// Parameters of both signs. The statistics need not be those of x.
struct Parameters {
    std::vector<float> mean, variance, gamma, beta;

    explicit Parameters(int channels)
        : mean(uniform_values<float>(channels, 101, -0.5, 0.5)),
          variance(uniform_values<float>(channels, 102, 0.01, 2.0)),
          gamma(uniform_values<float>(channels, 103, -1.5, 1.5)),
          beta(uniform_values<float>(channels, 104, -0.5, 0.5)) {}

    residual::reference::BatchNorm reference(bool relu) const {
        return {{to_doubles(mean), to_doubles(variance)}, to_doubles(gamma), to_doubles(beta), kEpsilon, relu};
    }
};

template <class Device>
struct DeviceParameters {
    typename Device::template Array<float> mean, variance, gamma, beta;

    explicit DeviceParameters(const Parameters& p) : mean(p.mean), variance(p.variance), gamma(p.gamma), beta(p.beta) {}
};

template <class Device, class T>
void batch_norm_of() {
    for (const BatchNormShape& s : kShapes) {
        const Parameters p(s.channels);
        DeviceParameters<Device> device(p);
        const auto x = uniform_values<T>(elements(s), 1), residual = uniform_values<T>(elements(s), 2);
        for (int variant = 0; variant < 4; ++variant) {
            const bool relu = variant % 2 == 1, add = variant / 2 == 1;
            CAPTURE(s.rows, s.channels, relu, add);
            const std::vector<double> expected =
                p.reference(relu).forward(to_doubles(x), add ? to_doubles(residual) : std::vector<double>());
            typename Device::template Array<T> input(x), added(residual), y(x.size());
            residual::kernels::batch_norm(Device::exec(), s, input.data(), device.mean.data(), device.variance.data(),
                                          device.gamma.data(), device.beta.data(), kEpsilon, relu,
                                          add ? added.data() : nullptr, y.data());
            check_close(y.read(), expected);
            residual::kernels::batch_norm(Device::exec(), s, input.data(), device.mean.data(), device.variance.data(),
                                          device.gamma.data(), device.beta.data(), kEpsilon, relu,
                                          add ? added.data() : nullptr, input.data());
            check_close(input.read(), expected);
        }
    }
}

template <class Device>
void batch_norm_cases() {
    batch_norm_of<Device, float>();
    batch_norm_of<Device, bfloat16>();
}

template <class Device, class T>
void backward_of() {
    for (const BatchNormShape& s : kShapes) {
        const Parameters p(s.channels);
        DeviceParameters<Device> device(p);
        const auto x = uniform_values<T>(elements(s), 3), dy = uniform_values<T>(elements(s), 4);
        const auto before = uniform_values<T>(elements(s), 5);
        for (int variant = 0; variant < 4; ++variant) {
            const bool relu = variant % 2 == 1, accumulate = variant / 2 == 1;
            CAPTURE(s.rows, s.channels, relu, accumulate);
            const residual::reference::BatchNorm batch_norm = p.reference(relu);
            const std::vector<double> g = batch_norm.masked(to_doubles(x), to_doubles(dy));
            const auto [dgamma, dbeta] = batch_norm.sums(to_doubles(x), g);
            std::vector<double> dx = batch_norm.dx(to_doubles(x), g);
            if (accumulate) dx = residual::reference::plus(dx, to_doubles(before));
            typename Device::template Array<T> input(x), upstream(dy);
            typename Device::template Array<T> gradient(accumulate ? before : nan_values<T>(x.size()));
            typename Device::template Array<float> device_dgamma(s.channels), device_dbeta(s.channels);
            typename Device::template Array<float> scratch(
                residual::kernels::batch_stats_scratch_floats(Device::exec(), s));
            residual::kernels::batch_norm_backward_reduce(Device::exec(), s, upstream.data(), input.data(),
                                                          device.mean.data(), device.variance.data(),
                                                          device.gamma.data(), device.beta.data(), kEpsilon, relu,
                                                          device_dgamma.data(), device_dbeta.data(), scratch.data());
            check_close(device_dgamma.read(), dgamma);
            check_close(device_dbeta.read(), dbeta);
            const auto backward = [&](T* target) {
                residual::kernels::batch_norm_backward(Device::exec(), s, upstream.data(), input.data(),
                                                       device.mean.data(), device.variance.data(), device.gamma.data(),
                                                       device.beta.data(), kEpsilon, relu, device_dgamma.data(),
                                                       device_dbeta.data(), target, accumulate);
            };
            backward(gradient.data());
            check_close(gradient.read(), dx);
            if (!accumulate) {
                backward(upstream.data());
                check_close(upstream.read(), dx);
            }
        }
    }
}

template <class Device>
void backward_cases() {
    backward_of<Device, float>();
    backward_of<Device, bfloat16>();
}

// The gradients of the moments are as large as sums over the rows; null means zeros.
template <class Device, class T>
void moments_of() {
    for (const BatchNormShape& s : kShapes) {
        const auto x = uniform_values<T>(elements(s), 3), before = uniform_values<T>(elements(s), 5);
        const auto mean = uniform_values<float>(s.channels, 101, -0.5, 0.5);
        const auto rows = static_cast<double>(s.rows);
        const auto dmean = uniform_values<float>(s.channels, 6, -rows, rows);
        const auto dvariance = uniform_values<float>(s.channels, 7, -rows, rows);
        typename Device::template Array<float> device_mean(mean), device_dmean(dmean), device_dvariance(dvariance);
        for (int variant = 0; variant < 6; ++variant) {
            const bool accumulate = variant % 2 == 1, with_dmean = variant / 2 != 1, with_dvariance = variant / 2 != 2;
            CAPTURE(s.rows, s.channels, accumulate, with_dmean, with_dvariance);
            const std::vector<double> zeros(s.channels);
            const residual::reference::Moments gradient{with_dmean ? to_doubles(dmean) : zeros,
                                                        with_dvariance ? to_doubles(dvariance) : zeros};
            std::vector<double> expected = residual::reference::moments_dx(to_doubles(x), to_doubles(mean), gradient);
            if (accumulate) expected = residual::reference::plus(expected, to_doubles(before));
            typename Device::template Array<T> input(x), dx(accumulate ? before : nan_values<T>(x.size()));
            residual::kernels::batch_stats_backward(
                Device::exec(), s, input.data(), device_mean.data(), with_dmean ? device_dmean.data() : nullptr,
                with_dvariance ? device_dvariance.data() : nullptr, dx.data(), accumulate);
            check_close(dx.read(), expected);
            check_unchanged(input, x);
        }
    }
}

template <class Device>
void moments_cases() {
    moments_of<Device, float>();
    moments_of<Device, bfloat16>();
    for (const int channels : {1, 7, 64, 300}) {
        CAPTURE(channels);
        const Parameters p(channels);
        DeviceParameters<Device> device(p);
        const auto dgamma = uniform_values<float>(channels, 8, -90, 90), dbeta = uniform_values<float>(channels, 9);
        const residual::reference::Moments expected =
            p.reference(true).moments_gradient({to_doubles(dgamma), to_doubles(dbeta)});
        typename Device::template Array<float> dgammas(dgamma), dbetas(dbeta), dmean(channels), dvariance(channels);
        residual::kernels::batch_norm_backward_moments(Device::exec(), channels, device.variance.data(),
                                                       device.gamma.data(), kEpsilon, dgammas.data(), dbetas.data(),
                                                       dmean.data(), dvariance.data());
        check_close(dmean.read(), expected.mean);
        check_close(dvariance.read(), expected.variance);
    }
}

template <class Device>
void running_cases() {
    for (const int64_t rows : {1, 2, 131072}) {
        for (const int channels : {1, 7, 64, 300}) {
            CAPTURE(rows, channels);
            const auto mean = uniform_values<float>(channels, 1), variance = uniform_values<float>(channels, 2, 0, 1);
            const auto old_mean = uniform_values<float>(channels, 3);
            const auto old_variance = uniform_values<float>(channels, 4, 0, 1);
            std::vector<double> expected_mean(channels), expected_variance(channels);
            const double unbiased = rows > 1 ? static_cast<double>(rows) / static_cast<double>(rows - 1) : 1.0;
            for (int c = 0; c < channels; ++c) {
                expected_mean[c] = 0.99 * old_mean[c] + 0.01 * mean[c];
                expected_variance[c] = 0.99 * old_variance[c] + 0.01 * unbiased * variance[c];
            }
            typename Device::template Array<float> means(mean), variances(variance);
            typename Device::template Array<float> running_mean(old_mean), running_variance(old_variance);
            residual::kernels::update_running(Device::exec(), channels, rows, means.data(), variances.data(), 0.99f,
                                              running_mean.data(), running_variance.data());
            check_close(running_mean.read(), expected_mean);
            check_close(running_variance.read(), expected_variance);
        }
    }
}

}  // namespace

DEVICE_TEST_CASE("Normalisation with and without ReLU and residual", "[kernels][batch_norm]", batch_norm_cases)
DEVICE_TEST_CASE("The gradient of the normalisation", "[kernels][batch_norm]", backward_cases)
DEVICE_TEST_CASE("The gradients of a batch's moments", "[kernels][batch_norm]", moments_cases)
DEVICE_TEST_CASE("Running statistics", "[kernels][batch_norm]", running_cases)

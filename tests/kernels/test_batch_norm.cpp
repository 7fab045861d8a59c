#include "kernels/batch_norm.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/output_checks.h"
#include "tests/kernels/places.h"
#include "tests/kernels/values.h"

using kernels::bfloat16;
using kernels::NormShape;

namespace {

constexpr float kEpsilon = 1e-3f;

const NormShape kShapes[] = {
    {1, 1},     {1, 5},    {2, 3},     {3, 300},   {7, 16},    {63, 1},
    {1000, 17}, {129, 64}, {517, 256}, {211, 257}, {4099, 16}, {40001, 32},
};

size_t elements(const NormShape& shape) {
    return static_cast<size_t>(shape.rows) * shape.channels;
}

// A normalisation with parameters of both signs. The statistics need not be those of x.
struct Parameters {
    std::vector<float> mean, variance, gamma, beta;

    explicit Parameters(int channels)
        : mean(uniform_values<float>(channels, 101, -0.5, 0.5)),
          variance(uniform_values<float>(channels, 102, 0.01, 2.0)),
          gamma(uniform_values<float>(channels, 103, -1.5, 1.5)),
          beta(uniform_values<float>(channels, 104, -0.5, 0.5)) {}

    double rstd(size_t c) const { return 1.0 / std::sqrt(static_cast<double>(variance[c]) + kEpsilon); }
    double xhat(size_t c, double x) const { return (x - mean[c]) * rstd(c); }
    double value(size_t c, double x) const { return gamma[c] * xhat(c, x) + beta[c]; }
};

template <class Place>
struct PlacedParameters {
    typename Place::template Array<float> mean, variance, gamma, beta;

    explicit PlacedParameters(const Parameters& p) : mean(p.mean), variance(p.variance), gamma(p.gamma), beta(p.beta) {}
};

template <class Place, class T>
void norm_of() {
    for (const NormShape& s : kShapes) {
        const Parameters p(s.channels);
        PlacedParameters<Place> placed(p);
        const auto x = uniform_values<T>(elements(s), 1), residual = uniform_values<T>(elements(s), 2);
        for (int variant = 0; variant < 4; ++variant) {
            const bool relu = variant % 2 == 1, add = variant / 2 == 1;
            CAPTURE(s.rows, s.channels, relu, add);
            std::vector<double> expected(x.size());
            for (size_t i = 0; i < x.size(); ++i) {
                const double value = p.value(i % s.channels, to_double(x[i])) + (add ? to_double(residual[i]) : 0.0);
                expected[i] = relu ? std::fmax(value, 0.0) : value;
            }
            typename Place::template Array<T> input(x), added(residual), y(x.size());
            kernels::norm(Place::exec(), s, input.data(), placed.mean.data(), placed.variance.data(),
                          placed.gamma.data(), placed.beta.data(), kEpsilon, relu, add ? added.data() : nullptr,
                          y.data());
            check_close(y.read(), expected);
            kernels::norm(Place::exec(), s, input.data(), placed.mean.data(), placed.variance.data(),
                          placed.gamma.data(), placed.beta.data(), kEpsilon, relu, add ? added.data() : nullptr,
                          input.data());
            check_close(input.read(), expected);
        }
    }
}

template <class Place>
void norm_cases() {
    norm_of<Place, float>();
    norm_of<Place, bfloat16>();
}

template <class Place, class T>
void backward_of() {
    for (const NormShape& s : kShapes) {
        const Parameters p(s.channels);
        PlacedParameters<Place> placed(p);
        const auto x = uniform_values<T>(elements(s), 3), dy = uniform_values<T>(elements(s), 4);
        const auto before = uniform_values<T>(elements(s), 5);
        for (int variant = 0; variant < 4; ++variant) {
            const bool relu = variant % 2 == 1, accumulate = variant / 2 == 1;
            CAPTURE(s.rows, s.channels, relu, accumulate);
            std::vector<double> g(x.size()), dgamma(s.channels, 0.0), dbeta(s.channels, 0.0), dx(x.size());
            for (size_t i = 0; i < x.size(); ++i) {
                const size_t c = i % s.channels;
                g[i] = relu && p.value(c, to_double(x[i])) <= 0.0 ? 0.0 : to_double(dy[i]);
                dgamma[c] += g[i] * p.xhat(c, to_double(x[i]));
                dbeta[c] += g[i];
            }
            for (size_t i = 0; i < x.size(); ++i) {
                const size_t c = i % s.channels;
                dx[i] = p.gamma[c] * p.rstd(c) *
                            (g[i] - dbeta[c] / s.rows - p.xhat(c, to_double(x[i])) * dgamma[c] / s.rows) +
                        (accumulate ? to_double(before[i]) : 0.0);
            }
            typename Place::template Array<T> input(x), upstream(dy);
            typename Place::template Array<T> gradient(accumulate ? before : nan_values<T>(x.size()));
            typename Place::template Array<float> placed_dgamma(s.channels), placed_dbeta(s.channels);
            typename Place::template Array<float> scratch(kernels::batch_stats_scratch_floats(Place::exec(), s));
            kernels::norm_backward_reduce(Place::exec(), s, upstream.data(), input.data(), placed.mean.data(),
                                          placed.variance.data(), placed.gamma.data(), placed.beta.data(), kEpsilon,
                                          relu, placed_dgamma.data(), placed_dbeta.data(), scratch.data());
            check_close(placed_dgamma.read(), dgamma);
            check_close(placed_dbeta.read(), dbeta);
            const auto backward = [&](T* target) {
                kernels::norm_backward(Place::exec(), s, upstream.data(), input.data(), placed.mean.data(),
                                       placed.variance.data(), placed.gamma.data(), placed.beta.data(), kEpsilon, relu,
                                       placed_dgamma.data(), placed_dbeta.data(), target, accumulate);
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

template <class Place>
void backward_cases() {
    backward_of<Place, float>();
    backward_of<Place, bfloat16>();
}

// Of the moments of x, from gradients as large as sums over the rows; a null one stands for zeros.
template <class Place, class T>
void moments_of() {
    for (const NormShape& s : kShapes) {
        const auto x = uniform_values<T>(elements(s), 3), before = uniform_values<T>(elements(s), 5);
        const auto mean = uniform_values<float>(s.channels, 101, -0.5, 0.5);
        const auto rows = static_cast<double>(s.rows);
        const auto dmean = uniform_values<float>(s.channels, 6, -rows, rows);
        const auto dvariance = uniform_values<float>(s.channels, 7, -rows, rows);
        typename Place::template Array<float> placed_mean(mean), placed_dmean(dmean), placed_dvariance(dvariance);
        for (int variant = 0; variant < 6; ++variant) {
            const bool accumulate = variant % 2 == 1, with_dmean = variant / 2 != 1, with_dvariance = variant / 2 != 2;
            CAPTURE(s.rows, s.channels, accumulate, with_dmean, with_dvariance);
            std::vector<double> expected(x.size());
            for (size_t i = 0; i < x.size(); ++i) {
                const size_t c = i % s.channels;
                expected[i] = accumulate ? to_double(before[i]) : 0.0;
                if (with_dmean) expected[i] += dmean[c] / rows;
                if (with_dvariance) expected[i] += 2.0 * dvariance[c] * (to_double(x[i]) - mean[c]) / rows;
            }
            typename Place::template Array<T> input(x), dx(accumulate ? before : nan_values<T>(x.size()));
            kernels::batch_stats_backward(Place::exec(), s, input.data(), placed_mean.data(),
                                          with_dmean ? placed_dmean.data() : nullptr,
                                          with_dvariance ? placed_dvariance.data() : nullptr, dx.data(), accumulate);
            check_close(dx.read(), expected);
            check_unchanged(input, x);
        }
    }
}

template <class Place>
void moments_cases() {
    moments_of<Place, float>();
    moments_of<Place, bfloat16>();
    for (const int channels : {1, 7, 64, 300}) {
        CAPTURE(channels);
        const Parameters p(channels);
        PlacedParameters<Place> placed(p);
        const auto dgamma = uniform_values<float>(channels, 8, -90, 90), dbeta = uniform_values<float>(channels, 9);
        std::vector<double> expected_mean(channels), expected_variance(channels);
        for (int c = 0; c < channels; ++c) {
            expected_mean[c] = -p.gamma[c] * p.rstd(c) * dbeta[c];
            expected_variance[c] = -0.5 * p.gamma[c] * p.rstd(c) * p.rstd(c) * dgamma[c];
        }
        typename Place::template Array<float> dgammas(dgamma), dbetas(dbeta), dmean(channels), dvariance(channels);
        kernels::norm_backward_moments(Place::exec(), channels, placed.variance.data(), placed.gamma.data(), kEpsilon,
                                       dgammas.data(), dbetas.data(), dmean.data(), dvariance.data());
        check_close(dmean.read(), expected_mean);
        check_close(dvariance.read(), expected_variance);
    }
}

template <class Place>
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
            typename Place::template Array<float> means(mean), variances(variance);
            typename Place::template Array<float> running_mean(old_mean), running_variance(old_variance);
            kernels::update_running(Place::exec(), channels, rows, means.data(), variances.data(), 0.99f,
                                    running_mean.data(), running_variance.data());
            check_close(running_mean.read(), expected_mean);
            check_close(running_variance.read(), expected_variance);
        }
    }
}

}  // namespace

PLACED_TEST_CASE("Normalisation with and without ReLU and residual", "[kernels][batch_norm]", norm_cases)
PLACED_TEST_CASE("The gradient of the normalisation", "[kernels][batch_norm]", backward_cases)
PLACED_TEST_CASE("The gradients of a batch's moments", "[kernels][batch_norm]", moments_cases)
PLACED_TEST_CASE("Running statistics", "[kernels][batch_norm]", running_cases)

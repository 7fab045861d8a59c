#if defined(RESIDUAL_CUDA)

#include "kernels/classifier.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/output_checks.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;
using residual::kernels::ClassifierShape;

namespace {

constexpr float kEpsilon = 1e-3f, kDecay = 0.9f;

// Some threads are idle if the chunks of a pixel do not divide 256; more than 256 images share the backward blocks.
const ClassifierShape kCases[] = {
    {3, 64, 64, 10},  {12, 64, 64, 10}, {1, 1, 8, 2},     {1, 64, 64, 32}, {5, 1, 64, 10},
    {2, 49, 24, 3},   {4, 7, 40, 5},    {1, 35, 256, 32}, {2, 3, 248, 7},  {1, 4096, 16, 2},
    {1, 1024, 64, 9}, {300, 2, 8, 2},   {260, 1, 16, 11}, {1, 1, 8, 1},
};

struct Inputs {
    std::vector<bfloat16> x;
    std::vector<float> mean, variance, gamma, beta, weight, bias;
};

residual::reference::BatchNorm batch_norm_of(const Inputs& i, bool relu) {
    return {{to_doubles(i.mean), to_doubles(i.variance)}, to_doubles(i.gamma), to_doubles(i.beta), kEpsilon, relu};
}

Inputs inputs_of(const ClassifierShape& s) {
    const size_t channels = s.channels;
    Inputs i;
    i.x = uniform_values<bfloat16>(channels * s.batch * s.pixels, 1, -2.0, 3.0);
    i.mean = uniform_values<float>(channels, 2);
    i.variance = uniform_values<float>(channels, 3, 0.5, 2.0);
    i.gamma = uniform_values<float>(channels, 4, -1.5, 1.5);
    i.beta = uniform_values<float>(channels, 5, -0.5, 1.0);
    i.weight = uniform_values<float>(channels * s.classes, 6);
    i.bias = uniform_values<float>(s.classes, 7);
    // The sign of a normalised value must not depend on rounding.
    const std::vector<double> normalised = batch_norm_of(i, false).forward(to_doubles(i.x));
    for (size_t k = 0; k < i.x.size(); ++k) {
        if (std::abs(normalised[k]) < 1e-5) i.x[k] = bfloat16(to_float(i.x[k]) + 0.5f);
    }
    return i;
}

template <class T>
using Array = CudaDevice::Array<T>;

struct DeviceData {
    explicit DeviceData(const Inputs& i)
        : x(i.x), mean(i.mean), variance(i.variance), gamma(i.gamma), beta(i.beta), weight(i.weight), bias(i.bias) {}

    residual::kernels::BatchNormInput batch_norm() {
        return {mean.data(), variance.data(), gamma.data(), beta.data(), kEpsilon};
    }
    void check_inputs_unchanged(const Inputs& i) const {
        check_unchanged(x, i.x);
        check_unchanged(mean, i.mean);
        check_unchanged(variance, i.variance);
        check_unchanged(gamma, i.gamma);
        check_unchanged(beta, i.beta);
        check_unchanged(weight, i.weight);
        check_unchanged(bias, i.bias);
    }

    Array<bfloat16> x;
    Array<float> mean, variance, gamma, beta, weight, bias;
};

void check_forward(const ClassifierShape& s, bool moves) {
    CAPTURE(s.batch, s.pixels, s.channels, s.classes, moves);
    const size_t channels = s.channels, pixels = s.pixels, classes = s.classes;
    const Inputs i = inputs_of(s);
    const auto running_mean = uniform_values<float>(channels, 8);
    const auto running_variance = uniform_values<float>(channels, 9, 0.5, 2.0);

    DeviceData in(i);
    Array<float> moving_mean(running_mean), moving_variance(running_variance);
    Array<float> pooled(s.batch * channels), logits(s.batch * classes);
    const residual::kernels::RunningStats running{moving_mean.data(), moving_variance.data(), kDecay};
    residual::kernels::classifier_forward(CudaDevice::exec(), s, in.x.data(), in.batch_norm(),
                                          moves ? running : residual::kernels::RunningStats{}, in.weight.data(),
                                          in.bias.data(), pooled.data(), logits.data());

    std::vector<double> means(s.batch * channels, 0.0), products(s.batch * classes);
    const std::vector<double> p = batch_norm_of(i, true).forward(to_doubles(i.x));
    for (size_t k = 0; k < p.size(); ++k) {
        means[k / (pixels * channels) * channels + k % channels] += p[k] / static_cast<double>(pixels);
    }
    for (size_t n = 0; n < static_cast<size_t>(s.batch); ++n)
        for (size_t k = 0; k < classes; ++k) {
            double& product = products[n * classes + k];
            product = i.bias[k];
            for (size_t c = 0; c < channels; ++c) product += means[n * channels + c] * i.weight[k * channels + c];
        }
    check_close(pooled.read(), means);
    check_close(logits.read(), products);

    if (moves) {
        const double rows = static_cast<double>(s.batch) * s.pixels;
        const double factor = rows / std::max(rows - 1.0, 1.0);
        std::vector<double> new_mean(channels), new_variance(channels);
        for (size_t c = 0; c < channels; ++c) {
            new_mean[c] = kDecay * double{running_mean[c]} + (1.0 - kDecay) * i.mean[c];
            new_variance[c] = kDecay * double{running_variance[c]} + (1.0 - kDecay) * i.variance[c] * factor;
        }
        check_close(moving_mean.read(), new_mean, 1e-6);
        check_close(moving_variance.read(), new_variance, 1e-6);
    } else {
        check_unchanged(moving_mean, running_mean);
        check_unchanged(moving_variance, running_variance);
    }
    in.check_inputs_unchanged(i);
}

void check_backward(const ClassifierShape& s) {
    CAPTURE(s.batch, s.pixels, s.channels, s.classes);
    const size_t batch = s.batch, channels = s.channels, pixels = s.pixels, classes = s.classes;
    const Inputs i = inputs_of(s);
    const auto dlogits = uniform_values<float>(batch * classes, 10);
    const auto pooled = uniform_values<float>(batch * channels, 11, 0.0, 2.0);
    const std::vector<uint32_t> no_tickets(residual::kernels::kTickets, 0);

    DeviceData in(i);
    Array<float> dlogits_in(dlogits), pooled_in(pooled);
    Array<bfloat16> dx(i.x.size());
    Array<float> dgamma(channels), dbeta(channels), dmean(channels), dvariance(channels);
    Array<float> dweight(classes * channels), dbias(classes);
    Array<float> scratch(residual::kernels::classifier_backward_scratch_floats(CudaDevice::exec(), s));
    Array<uint32_t> tickets(no_tickets);
    residual::kernels::classifier_backward(
        CudaDevice::exec(), s,
        {.dlogits = dlogits_in.data(),
         .x = in.x.data(),
         .batch_norm = in.batch_norm(),
         .pooled = pooled_in.data(),
         .weight = in.weight.data(),
         .dx = dx.data(),
         .batch_norm_gradients = {dgamma.data(), dbeta.data(), dmean.data(), dvariance.data()},
         .dweight = dweight.data(),
         .dbias = dbias.data()},
        {scratch.data(), tickets.data()});

    std::vector<double> dpooled(batch * channels, 0.0), weights(classes * channels, 0.0), biases(classes, 0.0);
    for (size_t n = 0; n < batch; ++n)
        for (size_t k = 0; k < classes; ++k) {
            const double d = dlogits[n * classes + k];
            biases[k] += d;
            for (size_t c = 0; c < channels; ++c) {
                dpooled[n * channels + c] += d * i.weight[k * channels + c];
                weights[k * channels + c] += d * pooled[n * channels + c];
            }
        }
    std::vector<double> upstream(i.x.size());
    for (size_t k = 0; k < upstream.size(); ++k) {
        upstream[k] = dpooled[k / (pixels * channels) * channels + k % channels] / static_cast<double>(pixels);
    }
    const residual::reference::BatchNorm batch_norm = batch_norm_of(i, true);
    const std::vector<double> g = batch_norm.masked(to_doubles(i.x), upstream);
    const residual::reference::BatchNormSums sums = batch_norm.sums(to_doubles(i.x), g);
    const residual::reference::Moments moments = batch_norm.moments_gradient(sums);
    std::vector<double> gradient = batch_norm.dx_fixed(g);
    for (double& value : gradient) value = to_double(bfloat16(static_cast<float>(value)));
    // A value midway between two bfloat16 may be rounded differently.
    check_rounded(dx.read(), gradient, 0.0);
    CHECK(relative_l2(dx.read(), gradient) <= 1e-4);
    check_close(dgamma.read(), sums.dgamma);
    check_close(dbeta.read(), sums.dbeta);
    check_close(dmean.read(), moments.mean);
    check_close(dvariance.read(), moments.variance);
    check_close(dweight.read(), weights);
    check_close(dbias.read(), biases);
    in.check_inputs_unchanged(i);
    check_unchanged(dlogits_in, dlogits);
    check_unchanged(pooled_in, pooled);
    check_unchanged(tickets, no_tickets);
}

}  // namespace

TEST_CASE("Fused classifier, forward", "[kernels][classifier][gpu]") {
    if (skipped_without_gpu()) return;
    bool moves = true;
    for (const ClassifierShape& s : kCases) {
        check_forward(s, moves);
        moves = !moves;
    }
}

TEST_CASE("Fused classifier, backward", "[kernels][classifier][gpu]") {
    if (skipped_without_gpu()) return;
    for (const ClassifierShape& s : kCases) check_backward(s);
}

TEST_CASE("Fused classifier propagates NaN", "[kernels][classifier][gpu]") {
    if (skipped_without_gpu()) return;
    const ClassifierShape s{2, 4, 8, 3};
    Inputs i = inputs_of(s);
    i.x[s.pixels * s.channels + 9] = bfloat16(std::numeric_limits<float>::quiet_NaN());
    DeviceData in(i);
    Array<float> pooled(s.batch * s.channels), logits(s.batch * s.classes);
    residual::kernels::classifier_forward(CudaDevice::exec(), s, in.x.data(), in.batch_norm(), {}, in.weight.data(),
                                          in.bias.data(), pooled.data(), logits.data());
    const auto values = logits.read();
    for (int k = 0; k < s.classes; ++k) {
        CHECK_FALSE(std::isnan(values[k]));
        CHECK(std::isnan(values[s.classes + k]));
    }
}

TEST_CASE("Shapes that the fused classifier supports", "[kernels][classifier]") {
    for (const ClassifierShape& s : kCases) CHECK(residual::kernels::classifier_supported(s));
    CHECK_FALSE(residual::kernels::classifier_supported({1, 64, 60, 10}));
    CHECK_FALSE(residual::kernels::classifier_supported({1, 64, 264, 10}));
    CHECK_FALSE(residual::kernels::classifier_supported({1, 64, 0, 10}));
    CHECK_FALSE(residual::kernels::classifier_supported({1, 64, 64, 33}));
    CHECK_FALSE(residual::kernels::classifier_supported({1, 64, 64, 0}));
}

#endif

#if defined(RESIDUAL_CUDA)

#include <optional>

#include "kernels/batch_norm_body.h"
#include "kernels/bn_relu_conv.h"
#include "tests/catch.h"
#include "tests/kernels/convolution.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/output_checks.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;
using residual::kernels::BnReluConvShape;
using residual::kernels::ResidualKind;

namespace {

constexpr float kEpsilon = 1e-3f, kDecay = 0.9f;

struct Wanted {
    ResidualKind residual = ResidualKind::kNone;
    bool stats = true, p = false, running = false;
};

struct Case {
    BnReluConvShape shape;
    Wanted wanted;
};

constexpr Padding kSame = Padding::kSame, kSymmetric = Padding::kSymmetric;
constexpr ResidualKind kNone = ResidualKind::kNone, kIdentity = ResidualKind::kIdentity,
                       kPool = ResidualKind::kAveragePool;

// A tile of y is 8x16 pixels, 8x8 with 64 channels.
const Case kCases[] = {
    // Each combination of channels and stride, with partial tiles and with several images.
    {bn_relu_conv_shape(1, 9, 17, 16, 16, 1, kSame), {kIdentity, true, true, true}},
    {bn_relu_conv_shape(3, 8, 16, 16, 16, 1, kSymmetric), {kNone, true, false, true}},
    {bn_relu_conv_shape(1, 18, 34, 16, 16, 2, kSame), {kNone, true, true, false}},
    {bn_relu_conv_shape(1, 17, 31, 16, 16, 2, kSymmetric), {kIdentity, true, true, true}},
    {bn_relu_conv_shape(2, 5, 18, 16, 32, 1, kSymmetric), {kPool, true, false, false}},
    {bn_relu_conv_shape(2, 18, 10, 16, 32, 2, kSame), {kPool, true, true, true}},
    {bn_relu_conv_shape(1, 10, 20, 32, 32, 1, kSame), {kIdentity, true, false, true}},
    {bn_relu_conv_shape(1, 7, 35, 32, 32, 2, kSymmetric), {kNone, true, true, false}},
    {bn_relu_conv_shape(1, 9, 7, 32, 64, 1, kSame), {kPool, true, true, false}},
    {bn_relu_conv_shape(3, 16, 16, 32, 64, 2, kSame), {kNone, true, false, true}},
    {bn_relu_conv_shape(2, 10, 9, 64, 64, 1, kSymmetric), {kIdentity, true, true, true}},
    {bn_relu_conv_shape(1, 17, 18, 64, 64, 2, kSymmetric), {kPool, true, true, false}},
    // The smallest sizes; an even size with one zero before.
    {bn_relu_conv_shape(1, 1, 1, 16, 16, 1, kSame), {kIdentity, true, true, true}},
    {bn_relu_conv_shape(1, 1, 1, 64, 64, 2, kSymmetric), {kNone, true, true, true}},
    {bn_relu_conv_shape(2, 2, 2, 16, 32, 2, kSame), {kPool, true, true, false}},
    {bn_relu_conv_shape(1, 2, 3, 32, 64, 2, kSymmetric), {kIdentity, true, true, true}},
    {bn_relu_conv_shape(1, 3, 2, 32, 32, 1, kSymmetric), {kNone, true, true, false}},
    // A residual of 8 channels, centred among 16, is not aligned to chunks.
    {bn_relu_conv_shape(1, 3, 5, 16, 16, 1, kSame), {kPool, true, false, false}},
    // As in evaluation: no statistics, no running statistics.
    {bn_relu_conv_shape(2, 4, 6, 16, 16, 1, kSame), {kIdentity, false, false, false}},
    {bn_relu_conv_shape(1, 8, 8, 64, 64, 1, kSame), {kNone, false, false, false}},
    {bn_relu_conv_shape(1, 8, 8, 32, 64, 2, kSame), {kPool, false, true, false}},
    // More tiles than blocks: a block loads the next window while it computes.
    {bn_relu_conv_shape(1, 48, 720, 64, 64, 2, kSame), {kIdentity, true, true, true}},
};

std::vector<double> average_pool(const BnReluConvShape& s, const std::vector<bfloat16>& residual) {
    const size_t width = size_t{2} * s.out_width, channels = s.out_channels / 2;
    std::vector<double> pooled(output_size(s), 0.0);
    for (size_t row = 0; row < static_cast<size_t>(s.batch) * s.out_height; ++row)
        for (size_t column = 0; column < static_cast<size_t>(s.out_width); ++column)
            for (size_t c = 0; c < channels; ++c) {
                double sum = 0.0;
                for (size_t k = 0; k < 4; ++k)
                    sum += to_double(residual[((2 * row + k / 2) * width + 2 * column + k % 2) * channels + c]);
                pooled[(row * s.out_width + column) * s.out_channels + channels / 2 + c] = sum / 4;
            }
    return pooled;
}

struct Inputs {
    std::vector<bfloat16> x, weight, residual;
    std::vector<float> mean, variance, gamma, beta;
};

Inputs inputs_of(const Case& c) {
    const BnReluConvShape& s = c.shape;
    const size_t in = s.in_channels;
    Inputs i;
    i.x = uniform_values<bfloat16>(input_size(s), 1, -2.0, 3.0);
    i.weight = uniform_values<bfloat16>(weight_size(s), 2, -0.3, 0.3);
    i.residual = uniform_values<bfloat16>(c.wanted.residual == kNone       ? 1
                                          : c.wanted.residual == kIdentity ? output_size(s)
                                                                           : output_size(s) * 2,
                                          3);
    i.mean = uniform_values<float>(in, 4);
    i.variance = uniform_values<float>(in, 5, 0.5, 2.0);
    i.gamma = uniform_values<float>(in, 6, -1.5, 1.5);
    i.beta = uniform_values<float>(in, 7, -0.5, 1.0);
    return i;
}

// p is rounded to bfloat16 as in the kernel and uses its formula; y is not rounded.
struct Reference {
    std::vector<double> p, y;
};

Reference reference_of(const Case& c, const Inputs& i) {
    const BnReluConvShape& s = c.shape;
    Reference r;
    r.p.resize(i.x.size());
    for (size_t k = 0; k < i.x.size(); ++k) {
        const size_t channel = k % s.in_channels;
        const float scale = i.gamma[channel] * residual::kernels::reciprocal_std(i.variance[channel], kEpsilon);
        const float value = residual::kernels::normalised(to_float(i.x[k]), i.mean[channel], scale, i.beta[channel]);
        r.p[k] = to_double(bfloat16(value > 0.0f ? value : 0.0f));
    }
    r.y = residual::reference::conv(reference_shape(s), r.p, to_doubles(i.weight));
    if (c.wanted.residual != kNone) {
        const auto added = c.wanted.residual == kPool ? average_pool(s, i.residual) : to_doubles(i.residual);
        for (size_t k = 0; k < r.y.size(); ++k) r.y[k] += added[k];
    }
    return r;
}

void check_running(const std::vector<float>& batch, double factor, const std::vector<float>& before,
                   const std::vector<float>& after) {
    for (size_t c = 0; c < batch.size(); ++c) {
        const double expected = kDecay * double{before[c]} + (1.0 - kDecay) * batch[c] * factor;
        CAPTURE(c);
        CHECK(after[c] == Approx(expected).epsilon(1e-5).margin(1e-6));
    }
}

template <class T>
using Array = CudaDevice::Array<T>;

void check_case(const Case& c, const Inputs& i) {
    const BnReluConvShape& s = c.shape;
    CAPTURE(s.batch, s.height, s.width, s.in_channels, s.out_channels, s.stride, s.pad_top, s.pad_left, s.out_height,
            s.out_width, static_cast<int>(c.wanted.residual), c.wanted.stats, c.wanted.p, c.wanted.running);
    REQUIRE(residual::kernels::bn_relu_conv_supported(s));
    const auto running_mean = uniform_values<float>(s.in_channels, 8);
    const auto running_variance = uniform_values<float>(s.in_channels, 9, 0.5, 2.0);
    const std::vector<uint32_t> no_tickets(residual::kernels::kTickets, 0);

    Array<bfloat16> x(i.x), weight(i.weight), residual(i.residual), y(output_size(s));
    Array<float> mean(i.mean), variance(i.variance), gamma(i.gamma), beta(i.beta);
    Array<float> scratch(residual::kernels::bn_relu_conv_forward_scratch_floats(CudaDevice::exec(), s));
    Array<uint32_t> tickets(no_tickets);
    std::optional<Array<float>> y_mean, y_variance, moving_mean, moving_variance;
    std::optional<Array<bfloat16>> p;

    residual::kernels::BnReluConvForward f{};
    f.x = x.data();
    f.batch_norm = {mean.data(), variance.data(), gamma.data(), beta.data(), kEpsilon};
    f.weight = weight.data();
    f.residual_kind = c.wanted.residual;
    f.residual = c.wanted.residual == kNone ? nullptr : residual.data();
    f.y = y.data();
    if (c.wanted.stats) {
        f.mean = y_mean.emplace(size_t(s.out_channels)).data();
        f.variance = y_variance.emplace(size_t(s.out_channels)).data();
    }
    if (c.wanted.p) f.p = p.emplace(i.x.size()).data();
    if (c.wanted.running) {
        f.running = {moving_mean.emplace(running_mean).data(), moving_variance.emplace(running_variance).data(),
                     kDecay};
    }
    residual::kernels::bn_relu_conv_forward(CudaDevice::exec(), s, f, {scratch.data(), tickets.data()});

    // A value of p midway between two bfloat16 may be rounded differently, which changes y by that times a weight.
    const Reference expected = reference_of(c, i);
    const double largest = *std::max_element(expected.p.begin(), expected.p.end());
    check_rounded(y.read(), expected.y, largest * 0.3 / 128);
    if (c.wanted.p) check_rounded(p->read(), expected.p, 0.0);
    if (c.wanted.stats) check_statistics(y.read(), y_mean->read(), y_variance->read());
    if (c.wanted.running) {
        const double rows = static_cast<double>(s.batch) * s.height * s.width;
        check_running(i.mean, 1.0, running_mean, moving_mean->read());
        check_running(i.variance, rows / std::max(rows - 1.0, 1.0), running_variance, moving_variance->read());
    }
    check_unchanged(x, i.x);
    check_unchanged(weight, i.weight);
    check_unchanged(residual, i.residual);
    check_unchanged(mean, i.mean);
    check_unchanged(variance, i.variance);
    check_unchanged(gamma, i.gamma);
    check_unchanged(beta, i.beta);
    check_unchanged(tickets, no_tickets);
}

}  // namespace

TEST_CASE("Fused BN-ReLU-conv, forward", "[kernels][bn_relu_conv][gpu]") {
    if (skipped_without_gpu()) return;
    for (const Case& c : kCases) check_case(c, inputs_of(c));
}

TEST_CASE("Fused BN-ReLU-conv, statistics with a large mean", "[kernels][bn_relu_conv][gpu]") {
    if (skipped_without_gpu()) return;
    // bfloat16 values near 256 are 2 apart: a residual of 256 to 268 gives y a mean of about 60 standard deviations.
    const Case c{bn_relu_conv_shape(2, 19, 33, 16, 16, 1, kSame), {kIdentity, true, false, false}};
    Inputs i = inputs_of(c);
    i.residual = uniform_values<bfloat16>(output_size(c.shape), 10, 256.0, 268.0);
    for (bfloat16& w : i.weight) w = bfloat16(0.01f * to_float(w));
    check_case(c, i);
}

TEST_CASE("Shapes that fused BN-ReLU-conv supports", "[kernels][bn_relu_conv]") {
    for (const Case& c : kCases) {
        CHECK(residual::kernels::bn_relu_conv_supported(c.shape));
    }
    const BnReluConvShape good = bn_relu_conv_shape(2, 8, 8, 16, 32, 2, kSame);
    const auto refused = [&good](auto change) {
        BnReluConvShape s = good;
        change(s);
        return !residual::kernels::bn_relu_conv_supported(s);
    };
    CHECK(refused([](BnReluConvShape& s) { s.in_channels = 8; }));
    CHECK(refused([](BnReluConvShape& s) { s.in_channels = 32, s.out_channels = 16; }));
    CHECK(refused([](BnReluConvShape& s) { s.in_channels = 16, s.out_channels = 64; }));
    CHECK(refused([](BnReluConvShape& s) { s.in_channels = 64, s.out_channels = 128; }));
    CHECK(refused([](BnReluConvShape& s) { s.stride = 3; }));
    CHECK(refused([](BnReluConvShape& s) { s.batch = 0; }));
    CHECK(refused([](BnReluConvShape& s) { s.pad_top = 2; }));
    CHECK(refused([](BnReluConvShape& s) { s.pad_left = -1; }));
    CHECK(refused([](BnReluConvShape& s) { s.out_height = 5; }));
    CHECK(refused([](BnReluConvShape& s) { s.out_width = 3; }));
}

#endif

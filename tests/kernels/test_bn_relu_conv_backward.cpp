#if defined(RESIDUAL_CUDA)

#include <initializer_list>
#include <optional>

#include "kernels/batch_norm.h"
#include "kernels/batch_norm_body.h"
#include "kernels/bn_relu_conv.h"
#include "kernels/cuda/bn_relu_conv_backward.h"
#include "kernels/cuda/bn_relu_conv_shape.h"
#include "tests/catch.h"
#include "tests/kernels/convolution.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/output_checks.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;
using residual::kernels::BnReluConvShape;

namespace {

constexpr float kEpsilon = 1e-3f;
constexpr Padding kSame = Padding::kSame, kSymmetric = Padding::kSymmetric;

struct Wanted {
    bool stats = true, dy_whole = false, dp = false, accumulate = false, dmoments = true;
};

struct Case {
    BnReluConvShape shape;
    Wanted wanted;
};

BnReluConvShape unpadded_shape(int batch, int height, int width, int in_channels, int out_channels, int stride) {
    return {batch,
            height,
            width,
            in_channels,
            out_channels,
            stride,
            0,
            0,
            (height - 3) / stride + 1,
            (width - 3) / stride + 1};
}

// A tile of dy is 16x16, 8x16 or 8x8 pixels for 16, 32 or 64 channels of x, half of that with stride 2; in the separate
// weight gradient kernel 16x16 or 8x16, or several images of 8x8.
const Case kCases[] = {
    // Each combination of channels and stride, with partial tiles and with several images.
    {bn_relu_conv_shape(1, 17, 18, 16, 16, 1, kSame), {true, true, false, false}},
    {bn_relu_conv_shape(3, 5, 9, 16, 16, 1, kSymmetric), {true, false, true, true}},
    {bn_relu_conv_shape(1, 18, 34, 16, 16, 2, kSame), {true, true, true, false}},
    {bn_relu_conv_shape(1, 17, 31, 16, 16, 2, kSymmetric), {false, false, false, true}},
    {bn_relu_conv_shape(2, 16, 16, 16, 32, 1, kSame), {true, false, false, false, false}},
    {bn_relu_conv_shape(1, 18, 10, 16, 32, 2, kSame), {true, true, false, true}},
    {bn_relu_conv_shape(3, 7, 33, 16, 32, 2, kSymmetric), {false, true, true, false}},
    {bn_relu_conv_shape(1, 9, 17, 32, 32, 1, kSame), {true, true, true, true}},
    {bn_relu_conv_shape(1, 7, 19, 32, 32, 2, kSymmetric), {true, false, false, false}},
    {bn_relu_conv_shape(1, 9, 7, 32, 64, 1, kSame), {true, false, true, false}},
    {bn_relu_conv_shape(3, 16, 16, 32, 64, 2, kSame), {true, true, false, false}},
    {bn_relu_conv_shape(1, 15, 17, 32, 64, 2, kSymmetric), {false, false, true, true}},
    {bn_relu_conv_shape(3, 8, 8, 64, 64, 1, kSame), {true, true, true, true}},
    {bn_relu_conv_shape(1, 9, 10, 64, 64, 1, kSymmetric), {true, false, false, false}},
    {bn_relu_conv_shape(3, 9, 8, 64, 64, 2, kSymmetric), {true, false, true, false}},
    {bn_relu_conv_shape(1, 10, 12, 64, 64, 2, kSame), {false, true, false, true}},
    // The smallest sizes.
    {bn_relu_conv_shape(1, 1, 1, 16, 16, 1, kSame), {true, true, true, true}},
    {bn_relu_conv_shape(1, 1, 1, 64, 64, 2, kSymmetric), {true, true, false, false}},
    {bn_relu_conv_shape(2, 2, 2, 16, 32, 2, kSame), {true, false, false, true}},
    {bn_relu_conv_shape(1, 2, 3, 32, 64, 2, kSymmetric), {true, true, true, false}},
    {bn_relu_conv_shape(1, 1, 5, 32, 32, 1, kSame), {false, true, false, false}},
    // Without padding: rows and columns of x with fewer taps, or none.
    {unpadded_shape(1, 6, 5, 16, 16, 1), {true, true, false, false}},
    {unpadded_shape(2, 3, 3, 32, 32, 2), {true, false, true, true}},
    {unpadded_shape(1, 9, 11, 16, 32, 2), {true, true, false, false}},
};

struct Inputs {
    std::vector<bfloat16> dy, y, x, weight, dp, dx;
    std::vector<float> mean, variance, gamma, beta;   // of x
    std::vector<float> y_mean, y_dmean, y_dvariance;  // of y

    explicit Inputs(const BnReluConvShape& s)
        : dy(uniform_values<bfloat16>(output_size(s), 1)),
          y(uniform_values<bfloat16>(output_size(s), 2, -2.0, 3.0)),
          x(uniform_values<bfloat16>(input_size(s), 3, -2.0, 3.0)),
          weight(uniform_values<bfloat16>(weight_size(s), 4, -0.3, 0.3)),
          dp(uniform_values<bfloat16>(input_size(s), 5)),
          dx(uniform_values<bfloat16>(input_size(s), 6)),
          mean(uniform_values<float>(s.in_channels, 7)),
          variance(uniform_values<float>(s.in_channels, 8, 0.5, 2.0)),
          gamma(uniform_values<float>(s.in_channels, 9, -1.5, 1.5)),
          beta(uniform_values<float>(s.in_channels, 10, -0.5, 1.0)),
          y_mean(uniform_values<float>(s.out_channels, 11)),
          y_dmean(uniform_values<float>(s.out_channels, 14, -0.5, 0.5)),
          y_dvariance(uniform_values<float>(s.out_channels, 15, -0.25, 0.25)) {
        // These gradients are sums over the rows.
        const auto rows = static_cast<float>(s.batch * s.out_height * s.out_width);
        for (float& value : y_dmean) value *= rows;
        for (float& value : y_dvariance) value *= rows;
    }
};

struct Reference {
    std::vector<double> dy_whole, dx, dweight, dgamma, dbeta, dmean, dvariance;
};

// dy_whole and p are rounded to bfloat16 as in the kernels; p uses the kernels' formula.
Reference reference_of(const Case& c, const Inputs& i) {
    const BnReluConvShape& s = c.shape;
    Reference r;
    r.dy_whole = to_doubles(i.dy);
    std::vector<double> rounded = r.dy_whole;
    if (c.wanted.stats) {
        const residual::reference::Moments gradient{to_doubles(i.y_dmean), to_doubles(i.y_dvariance)};
        const auto part = residual::reference::moments_dx(to_doubles(i.y), to_doubles(i.y_mean), gradient);
        r.dy_whole = residual::reference::plus(r.dy_whole, part);
        for (size_t k = 0; k < rounded.size(); ++k) {
            rounded[k] = to_double(bfloat16(static_cast<float>(r.dy_whole[k])));
        }
    }
    std::vector<double> p(i.x.size());
    for (size_t k = 0; k < i.x.size(); ++k) {
        const size_t channel = k % s.in_channels;
        const float scale = i.gamma[channel] * residual::kernels::reciprocal_std(i.variance[channel], kEpsilon);
        const float value = residual::kernels::normalised(to_float(i.x[k]), i.mean[channel], scale, i.beta[channel]);
        p[k] = to_double(bfloat16(value > 0.0f ? value : 0.0f));
    }
    r.dweight = residual::reference::conv_dweight(reference_shape(s), p, rounded);
    std::vector<double> upstream = residual::reference::conv_dx(reference_shape(s), rounded, to_doubles(i.weight));
    if (c.wanted.dp) upstream = residual::reference::plus(upstream, to_doubles(i.dp));
    const std::vector<double> x = to_doubles(i.x);
    const residual::reference::BatchNorm batch_norm{
        {to_doubles(i.mean), to_doubles(i.variance)}, to_doubles(i.gamma), to_doubles(i.beta), kEpsilon, true};
    const std::vector<double> g = batch_norm.masked(x, upstream);
    const residual::reference::BatchNormSums sums = batch_norm.sums(x, g);
    const residual::reference::Moments moments = batch_norm.moments_gradient(sums);
    r.dgamma = sums.dgamma;
    r.dbeta = sums.dbeta;
    r.dmean = moments.mean;
    r.dvariance = moments.variance;
    r.dx = batch_norm.dx_fixed(g);
    if (c.wanted.accumulate) r.dx = residual::reference::plus(r.dx, to_doubles(i.dx));
    return r;
}

template <class T>
using Array = CudaDevice::Array<T>;

struct DeviceData {
    Array<bfloat16> dy, y, x, weight, dp, dx;
    Array<float> mean, variance, gamma, beta, y_mean, y_dmean, y_dvariance;
    Array<float> dweight, dgamma, dbeta, dmean, dvariance, scratch;
    Array<uint32_t> tickets;
    std::optional<Array<bfloat16>> dy_whole;

    DeviceData(const Case& c, const Inputs& i)
        : dy(i.dy),
          y(i.y),
          x(i.x),
          weight(i.weight),
          dp(i.dp),
          dx(c.wanted.accumulate ? i.dx : nan_values<bfloat16>(i.x.size())),
          mean(i.mean),
          variance(i.variance),
          gamma(i.gamma),
          beta(i.beta),
          y_mean(i.y_mean),
          y_dmean(i.y_dmean),
          y_dvariance(i.y_dvariance),
          dweight(weight_size(c.shape)),
          dgamma(i.mean.size()),
          dbeta(i.mean.size()),
          dmean(i.mean.size()),
          dvariance(i.mean.size()),
          scratch(residual::kernels::bn_relu_conv_backward_scratch_floats(CudaDevice::exec(), c.shape)),
          tickets(std::vector<uint32_t>(residual::kernels::kTickets, 0)) {
        if (c.wanted.dy_whole) dy_whole.emplace(i.dy.size());
    }

    residual::kernels::BnReluConvBackward arguments(const Wanted& wanted) {
        residual::kernels::BnReluConvBackward b{};
        b.dy = dy.data();
        if (wanted.stats) {
            b.y = y.data();
            b.moments = {y_mean.data(), y_dmean.data(), y_dvariance.data()};
        }
        b.x = x.data();
        b.batch_norm = {mean.data(), variance.data(), gamma.data(), beta.data(), kEpsilon};
        b.weight = weight.data();
        if (wanted.dp) b.dp = dp.data();
        if (wanted.dy_whole) b.dy_whole = dy_whole->data();
        b.dx = dx.data();
        b.accumulate = wanted.accumulate;
        b.dweight = dweight.data();
        b.batch_norm_gradients = {dgamma.data(), dbeta.data(), wanted.dmoments ? dmean.data() : nullptr,
                                  wanted.dmoments ? dvariance.data() : nullptr};
        return b;
    }

    void check_inputs_unchanged(const Inputs& i) const {
        check_unchanged(dy, i.dy);
        check_unchanged(y, i.y);
        check_unchanged(x, i.x);
        check_unchanged(weight, i.weight);
        check_unchanged(dp, i.dp);
        check_unchanged(mean, i.mean);
        check_unchanged(variance, i.variance);
        check_unchanged(gamma, i.gamma);
        check_unchanged(beta, i.beta);
        check_unchanged(y_mean, i.y_mean);
        check_unchanged(y_dmean, i.y_dmean);
        check_unchanged(y_dvariance, i.y_dvariance);
        check_unchanged(tickets, std::vector<uint32_t>(residual::kernels::kTickets, 0));
    }
};

void check_case(const Case& c, std::initializer_list<int> forms) {
    const BnReluConvShape& s = c.shape;
    const Inputs inputs(s);
    const Reference expected = reference_of(c, inputs);
    for (const int form : forms) {
        if (form == 1 && !residual::kernels::bn_relu_conv_backward_has_one_kernel(s)) continue;
        CAPTURE(s.batch, s.height, s.width, s.in_channels, s.out_channels, s.stride, s.pad_top, s.pad_left,
                s.out_height, s.out_width, c.wanted.stats, c.wanted.dy_whole, c.wanted.dp, c.wanted.accumulate, form);
        REQUIRE(residual::kernels::bn_relu_conv_supported(s));
        DeviceData device(c, inputs);
        residual::kernels::bn_relu_conv_backward_form(CudaDevice::exec(), s, device.arguments(c.wanted),
                                                      {device.scratch.data(), device.tickets.data()}, form);
        // A value midway between two bfloat16 may be rounded differently: about one in a million, by 2^-8.
        check_close(device.dweight.read(), expected.dweight, 2e-4);
        check_close(device.dgamma.read(), expected.dgamma, 2e-4);
        check_close(device.dbeta.read(), expected.dbeta, 2e-4);
        if (c.wanted.dmoments) {
            check_close(device.dmean.read(), expected.dmean, 2e-4);
            check_close(device.dvariance.read(), expected.dvariance, 2e-4);
        }
        check_close(device.dx.read(), expected.dx, 4e-3);
        if (c.wanted.dy_whole) check_rounded(device.dy_whole->read(), expected.dy_whole, 1e-6);
        device.check_inputs_unchanged(inputs);
    }
}

}  // namespace

TEST_CASE("Fused BN-ReLU-conv, backward", "[kernels][bn_relu_conv][gpu]") {
    if (skipped_without_gpu()) return;
    for (const Case& c : kCases) check_case(c, {1, 2});
}

TEST_CASE("Fused BN-ReLU-conv, backward, with more tiles than blocks", "[kernels][bn_relu_conv][gpu]") {
    if (skipped_without_gpu()) return;
    check_case({bn_relu_conv_shape(133, 1, 1, 16, 16, 2, kSymmetric), {true, true, false, true}}, {1});
    check_case({bn_relu_conv_shape(34, 1, 2, 64, 64, 2, kSymmetric), {true, false, true, false}}, {2});
}

// Two consecutive convolutions: the second returns dx with fixed moments and the gradients of the moments, from which
// the first forms the full gradient.
TEST_CASE("dx with fixed moments plus the gradients of the moments equals the gradient of batch norm",
          "[kernels][bn_relu_conv][gpu]") {
    if (skipped_without_gpu()) return;
    const BnReluConvShape s = bn_relu_conv_shape(2, 9, 17, 16, 16, 1, kSame);
    const residual::kernels::BatchNormShape rows{int64_t{s.batch} * s.height * s.width, s.in_channels};
    const Case second{s, {false, false, true, false}}, first{s, {true, true, false, false}};

    Inputs i(s);
    std::vector<float> scratch(residual::kernels::batch_stats_scratch_floats(residual::kernels::Host{}, rows));
    residual::kernels::batch_stats(residual::kernels::Host{}, rows, i.x.data(), i.mean.data(), i.variance.data(),
                                   scratch.data());
    DeviceData upper(second, i);
    residual::kernels::bn_relu_conv_backward(CudaDevice::exec(), s, upper.arguments(second.wanted),
                                             {upper.scratch.data(), upper.tickets.data()});

    Inputs below(s);
    below.dy = upper.dx.read();
    below.y = i.x;
    below.y_mean = i.mean;
    below.y_dmean = upper.dmean.read();
    below.y_dvariance = upper.dvariance.read();
    DeviceData lower(first, below);
    residual::kernels::bn_relu_conv_backward(CudaDevice::exec(), s, lower.arguments(first.wanted),
                                             {lower.scratch.data(), lower.tickets.data()});

    // The reference: the full gradient of batch norm, from the gradient of p.
    const std::vector<double> dp =
        residual::reference::conv_dx(reference_shape(s), to_doubles(i.dy), to_doubles(i.weight));
    std::vector<float> upstream(dp.size()), x(dp.size()), whole(dp.size());
    for (size_t k = 0; k < dp.size(); ++k) {
        upstream[k] = static_cast<float>(dp[k] + to_double(i.dp[k]));
        x[k] = to_float(i.x[k]);
    }
    std::vector<float> dgamma(s.in_channels), dbeta(s.in_channels);
    residual::kernels::batch_norm_backward_reduce(residual::kernels::Host{}, rows, upstream.data(), x.data(),
                                                  i.mean.data(), i.variance.data(), i.gamma.data(), i.beta.data(),
                                                  kEpsilon, true, dgamma.data(), dbeta.data(), scratch.data());
    residual::kernels::batch_norm_backward(residual::kernels::Host{}, rows, upstream.data(), x.data(), i.mean.data(),
                                           i.variance.data(), i.gamma.data(), i.beta.data(), kEpsilon, true,
                                           dgamma.data(), dbeta.data(), whole.data(), false);
    check_close(upper.dgamma.read(), to_doubles(dgamma), 1e-4);
    check_close(upper.dbeta.read(), to_doubles(dbeta), 1e-4);
    check_close(lower.dy_whole->read(), to_doubles(whole), 4e-3);
}

TEST_CASE("Choice between one and two backward kernels", "[kernels][bn_relu_conv]") {
    // The table of docs/fused-step.md: batch 128, in megabytes.
    const struct {
        BnReluConvShape shape;
        double one, two;
        int kernels;
    } rows[] = {
        {bn_relu_conv_shape(128, 32, 32, 16, 16, 1, kSame), 34.8, 53.0, 1},
        {bn_relu_conv_shape(128, 32, 32, 16, 32, 2, kSame), 33.8, 46.2, 1},
        {bn_relu_conv_shape(128, 16, 16, 32, 32, 1, kSame), 74.5, 42.6, 2},
        {bn_relu_conv_shape(128, 16, 16, 32, 64, 2, kSame), 89.4, 38.8, 2},
        {bn_relu_conv_shape(128, 8, 8, 64, 64, 1, kSame), 0.0, 40.8, 2},
    };
    for (const auto& row : rows) {
        CAPTURE(row.shape.in_channels, row.shape.out_channels);
        const bool has_one = row.one > 0.0;
        CHECK(residual::kernels::bn_relu_conv_backward_has_one_kernel(row.shape) == has_one);
        if (has_one) {
            CHECK(residual::kernels::bn_relu_conv_backward_bytes(row.shape, 1).total() / 1e6 ==
                  Approx(row.one).margin(0.051));
        }
        CHECK(residual::kernels::bn_relu_conv_backward_bytes(row.shape, 2).total() / 1e6 ==
              Approx(row.two).margin(0.051));
        CHECK(residual::kernels::bn_relu_conv_backward_kernels(row.shape) == row.kernels);
    }
    // With many images, reading them twice costs more than the larger partial sums.
    CHECK(residual::kernels::bn_relu_conv_backward_kernels(bn_relu_conv_shape(1024, 16, 16, 32, 32, 1, kSame)) == 1);
    CHECK(residual::kernels::bn_relu_conv_backward_kernels(bn_relu_conv_shape(1024, 8, 8, 64, 64, 1, kSame)) == 2);
}

TEST_CASE("Shared memory of the fused BN-ReLU-conv kernels", "[kernels][bn_relu_conv]") {
    for (const Case& c : kCases) {
        CAPTURE(c.shape.in_channels, c.shape.out_channels, c.shape.stride);
        // Smaller GPUs of this generation offer 99 KiB per block.
        CHECK(residual::kernels::backward_shared_bytes(c.shape) <= 99 * 1024);
        // Forward needs more for the largest shapes, because it has two windows; an A100 offers 163 KiB.
        const bool wide = c.shape.in_channels == 64 ||
                          (c.shape.in_channels == 32 && c.shape.out_channels == 32 && c.shape.stride == 2);
        CHECK((residual::kernels::bn_relu_conv_shared_bytes(c.shape) > 99 * 1024) == wide);
        CHECK(residual::kernels::bn_relu_conv_shared_bytes(c.shape) <= 163 * 1024);
    }
}

#endif

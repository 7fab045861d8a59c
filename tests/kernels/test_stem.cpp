#if defined(RESIDUAL_CUDA)

#include "kernels/stem.h"

#include "kernels/batch_norm_body.h"
#include "tests/catch.h"
#include "tests/kernels/convolution.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/output_checks.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;
using residual::kernels::BnReluConvShape;
using residual::kernels::StemShape;

namespace {

constexpr float kEpsilon = 1e-3f;

struct Case {
    StemShape shape;
    bool stats;
};

// A tile is 8x16 pixels.
const Case kCases[] = {
    {{1, 1, 1, 1, 1}, true},    // one pixel
    {{3, 1, 1, 0, 0}, true},    // padding only after the image
    {{1, 8, 16, 1, 1}, true},   // one full tile
    {{2, 9, 17, 1, 1}, true},   // partial tiles
    {{1, 7, 33, 0, 1}, false},  // without statistics
    {{1, 19, 5, 1, 0}, true},   // a column of tiles
    {{532, 2, 1, 1, 1}, true},  // more tiles than blocks
    {{2, 32, 32, 1, 1}, true},  // as in the network
};

BnReluConvShape convolution_shape(const StemShape& s) {
    return {s.batch, s.height, s.width, 3, 16, 1, s.pad_top, s.pad_left, s.height, s.width};
}

template <class T>
using Array = CudaDevice::Array<T>;

struct Scratch {
    explicit Scratch(const StemShape& s)
        : floats(residual::kernels::stem_scratch_floats(CudaDevice::exec(), s)),
          tickets(std::vector<uint32_t>(residual::kernels::kTickets, 0)) {}
    residual::kernels::SumScratch sums() { return {floats.data(), tickets.data()}; }

    Array<float> floats;
    Array<uint32_t> tickets;
};

std::vector<bfloat16> images(const StemShape& s) {
    return uniform_values<bfloat16>(input_size(convolution_shape(s)), 1, -120.0, 135.0);
}

void check_forward(const Case& c) {
    const BnReluConvShape shape = convolution_shape(c.shape);
    const auto x = images(c.shape);
    const auto weight = uniform_values<bfloat16>(weight_size(shape), 2, -0.3, 0.3);
    Array<bfloat16> input(x), weights(weight), y(output_size(shape));
    Array<float> mean(16), variance(16);
    Scratch scratch(c.shape);
    residual::kernels::stem_forward(CudaDevice::exec(), c.shape, input.data(), weights.data(), y.data(),
                                    c.stats ? mean.data() : nullptr, c.stats ? variance.data() : nullptr,
                                    scratch.sums());
    check_rounded(y.read(), residual::reference::conv(reference_shape(shape), to_doubles(x), to_doubles(weight)), 1e-3);
    if (c.stats) check_statistics(y.read(), mean.read(), variance.read());
    check_unchanged(input, x);
    check_unchanged(weights, weight);
    check_unchanged(scratch.tickets, std::vector<uint32_t>(residual::kernels::kTickets, 0));
}

// dy plus the contribution of the gradients of y's moments, rounded to bfloat16 as in the kernel.
std::vector<double> whole_gradient(const std::vector<bfloat16>& dy, const std::vector<bfloat16>& y,
                                   const std::vector<float>& mean, const std::vector<float>& dmean,
                                   const std::vector<float>& dvariance) {
    const residual::reference::Moments gradient{to_doubles(dmean), to_doubles(dvariance)};
    auto whole = residual::reference::plus(to_doubles(dy),
                                           residual::reference::moments_dx(to_doubles(y), to_doubles(mean), gradient));
    for (double& value : whole) value = to_double(bfloat16(static_cast<float>(value)));
    return whole;
}

void check_backward(const Case& c) {
    const BnReluConvShape shape = convolution_shape(c.shape);
    const float rows = static_cast<float>(output_size(shape) / 16);
    const auto x = images(c.shape);
    const auto dy = uniform_values<bfloat16>(output_size(shape), 3);
    const auto y = uniform_values<bfloat16>(output_size(shape), 4, -30.0, 50.0);
    const auto mean_values = uniform_values<float>(16, 5, 5.0, 15.0);
    // As large as sums over all rows.
    const auto dmean_values = uniform_values<float>(16, 8, -rows, rows);
    const auto dvariance_values = uniform_values<float>(16, 9, -rows / 20, rows / 20);
    Array<bfloat16> input(x), upstream(dy), output(y);
    Array<float> mean(mean_values), dmean(dmean_values), dvariance(dvariance_values), dweight(weight_size(shape));
    Scratch scratch(c.shape);
    residual::kernels::MomentsGradient moments;
    if (c.stats) moments = {mean.data(), dmean.data(), dvariance.data()};
    // Without gradients of its moments, y is not read.
    residual::kernels::stem_backward(CudaDevice::exec(), c.shape, upstream.data(), c.stats ? output.data() : nullptr,
                                     moments, input.data(), dweight.data(), scratch.sums());
    const auto whole = c.stats ? whole_gradient(dy, y, mean_values, dmean_values, dvariance_values) : to_doubles(dy);
    // A value midway between two bfloat16 may be rounded differently.
    check_close(dweight.read(), residual::reference::conv_dweight(reference_shape(shape), to_doubles(x), whole),
                c.stats ? 1e-3 : 1e-5);
    check_unchanged(input, x);
    check_unchanged(upstream, dy);
    check_unchanged(output, y);
    check_unchanged(mean, mean_values);
    check_unchanged(dmean, dmean_values);
    check_unchanged(dvariance, dvariance_values);
    check_unchanged(scratch.tickets, std::vector<uint32_t>(residual::kernels::kTickets, 0));
}

}  // namespace

TEST_CASE("Fused stem, forward", "[kernels][stem][gpu]") {
    if (skipped_without_gpu()) return;
    for (const Case& c : kCases) {
        CAPTURE(c.shape.batch, c.shape.height, c.shape.width, c.shape.pad_top, c.shape.pad_left, c.stats);
        check_forward(c);
    }
}

TEST_CASE("Fused stem, weight gradient", "[kernels][stem][gpu]") {
    if (skipped_without_gpu()) return;
    for (const Case& c : kCases) {
        CAPTURE(c.shape.batch, c.shape.height, c.shape.width, c.shape.pad_top, c.shape.pad_left, c.stats);
        check_backward(c);
    }
}

#endif

// The gradient of every operation, through a scalar loss, compared with central differences.
#include "engine/ops/conv.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/linear.h"
#include "engine/ops/loss.h"
#include "engine/ops/pool.h"
#include "tests/support/devices.h"
#include "tests/support/finite_differences.h"

using namespace residual;
using namespace test;

namespace {

// The loss is accurate to about 2e-7 and the step is 1e-2, so a difference quotient is accurate to about 1e-5. The
// gradients below have elements of 1e-2 and more.
constexpr double kTolerance = 5e-3;
constexpr float kEpsilon = 1e-3f;

void check_differences(Backend& backend, const std::vector<Array>& leaves, const LossOf& loss_of,
                       const Differences& options = {}) {
    for (const double error : gradient_errors(backend, leaves, loss_of, options)) CHECK(error <= kTolerance);
}

// Mean cross-entropy of the rows of x [..., channels] with random labels, so that every element has a different
// gradient.
Variable loss_of_rows(Context& context, const Variable& x) {
    const Variable rows = as_rows(context, x);
    Random random("labels");
    std::vector<int32_t> labels;
    for (int64_t i = 0; i < rows.shape()[0]; ++i) labels.push_back(random.below(static_cast<int>(rows.shape()[1])));
    return ops::softmax_cross_entropy(context, rows, upload_labels(context.backend, labels)).loss;
}

Array uniform(const char* name, const Shape& shape, double low = -1, double high = 1) {
    return Random(name).uniform(shape, low, high);
}

// Half of the elements are in -1.5 .. -0.5 and half in 0.5 .. 1.5, so that no step of the differences crosses zero,
// also after normalisation with a shift below 0.3.
Array away_from_zero(const char* name, const Shape& shape) {
    Array x = uniform(name, shape, 0.5, 1.5);
    const int64_t channels = shape[-1];
    for (size_t i = 0; i < x.values.size(); ++i) {
        if ((i / channels + i % channels) % 2 == 0) x.values[i] = -x.values[i];
    }
    return x;
}

ops::BatchNorm batch_norm_of(Context& context, const Variable& x, const Variable& gamma, const Variable& beta,
                             bool relu) {
    return {gamma, beta, ops::batch_stats(context, x), kEpsilon, relu};
}

const Shape kImage{2, 3, 4, 3};
const Shape kChannels{3};

// x, gamma, beta
std::vector<Array> batch_norm_leaves() {
    return {away_from_zero("x", kImage), uniform("gamma", kChannels, 0.7, 1.3), uniform("beta", kChannels, -0.2, 0.2)};
}

}  // namespace

DEVICE_TEST_CASE("finite differences: softmax_cross_entropy", "[autograd]") {
    check_differences(backend, {uniform("logits", {5, 4}, -2, 2)},
                      [](Context& context, const auto& leaf) { return loss_of_rows(context, leaf[0]); });
}

DEVICE_TEST_CASE("finite differences: linear", "[autograd]") {
    check_differences(backend, {uniform("x", {3, 5}), uniform("w", {4, 5}), uniform("b", {4})},
                      [](Context& context, const auto& leaf) {
                          return loss_of_rows(context, ops::linear(context, leaf[0], leaf[1], leaf[2]));
                      });
}

DEVICE_TEST_CASE("finite differences: relu and add", "[autograd]") {
    check_differences(backend, {away_from_zero("a", kImage), uniform("b", kImage)},
                      [](Context& context, const auto& leaf) {
                          return loss_of_rows(context, ops::add(context, ops::relu(context, leaf[0]), leaf[1]));
                      });
}

DEVICE_TEST_CASE("finite differences: cast to bfloat16 and back", "[autograd]") {
    // Multiples of 1/8 and steps of 1/64 are exact in bfloat16, so there is no rounding.
    Array x = uniform("x", {4, 3}, -8, 8);
    for (double& value : x.values) value = std::round(value) / 8;
    const LossOf loss = [](Context& context, const std::vector<Variable>& leaf) {
        const DType other = leaf[0].value().dtype() == DType::kFloat32 ? DType::kBFloat16 : DType::kFloat32;
        const Variable there = ops::cast(context, leaf[0], other);
        return loss_of_rows(context, ops::cast(context, there, DType::kFloat32));
    };
    check_differences(backend, {x}, loss, {.step = 0x1p-6});
    check_differences(backend, {x}, loss, {.step = 0x1p-6, .dtype = DType::kBFloat16});
}

DEVICE_TEST_CASE("finite differences: shortcuts", "[autograd]") {
    for (const ShortcutKind kind : {ShortcutKind::kAveragePool, ShortcutKind::kSubsample}) {
        check_differences(backend, {uniform("x", {2, 5, 4, 3})}, [kind](Context& context, const auto& leaf) {
            return loss_of_rows(context, ops::shortcut(context, leaf[0], kind, 6));
        });
    }
}

DEVICE_TEST_CASE("finite differences: global_average_pool", "[autograd]") {
    check_differences(backend, {uniform("x", {3, 2, 3, 4}, -2, 2)}, [](Context& context, const auto& leaf) {
        return loss_of_rows(context, ops::global_average_pool(context, leaf[0]));
    });
}

DEVICE_TEST_CASE("finite differences: batch norm, through the statistics", "[autograd]") {
    for (const bool relu : {false, true}) {
        check_differences(backend, batch_norm_leaves(), [relu](Context& context, const auto& leaf) {
            return loss_of_rows(
                context, ops::batch_norm(context, leaf[0], batch_norm_of(context, leaf[0], leaf[1], leaf[2], relu)));
        });
    }
}

DEVICE_TEST_CASE("finite differences: batch norm with residual and ReLU", "[autograd]") {
    auto leaves = batch_norm_leaves();
    leaves.push_back(uniform("residual", kImage, -0.1, 0.1));
    check_differences(backend, leaves, [](Context& context, const auto& leaf) {
        const auto batch_norm = batch_norm_of(context, leaf[0], leaf[1], leaf[2], true);
        return loss_of_rows(context, ops::batch_norm(context, leaf[0], batch_norm, leaf[3]));
    });
}

DEVICE_TEST_CASE("finite differences: convolution with every kernel, stride and padding", "[autograd]") {
    for (const int kernel : {1, 3})
        for (const int stride : {1, 2})
            for (const auto padding : {ops::Padding::kSame, ops::Padding::kSymmetric}) {
                INFO("kernel " << kernel << " stride " << stride << " padding " << static_cast<int>(padding));
                check_differences(
                    backend, {uniform("x", {1, 4, 3, 2}), uniform("w", {3, kernel, kernel, 2}, -0.5, 0.5)},
                    [&](Context& context, const auto& leaf) {
                        return loss_of_rows(
                            context, ops::conv(context, leaf[0], leaf[1], {.stride = stride, .padding = padding}).y);
                    });
            }
}

DEVICE_TEST_CASE("finite differences: convolution with batch norm, ReLU, residual and p", "[autograd]") {
    auto leaves = batch_norm_leaves();
    leaves.push_back(uniform("w", {3, 3, 3, 3}, -0.5, 0.5));
    leaves.push_back(uniform("residual", kImage));
    check_differences(backend, leaves, [](Context& context, const auto& leaf) {
        const auto batch_norm = batch_norm_of(context, leaf[0], leaf[1], leaf[2], true);
        const auto result =
            ops::conv(context, leaf[0], leaf[3], {.batch_norm = &batch_norm, .residual = leaf[4], .want_p = true});
        return loss_of_rows(context, ops::add(context, result.y, result.p));
    });
}

DEVICE_TEST_CASE("finite differences: a pre-activation unit whose shortcut starts from p", "[autograd]") {
    // The shifts of the second batch norm keep the inputs of its ReLU far from zero: two channels positive, one
    // negative.
    auto leaves = batch_norm_leaves();
    leaves.push_back(uniform("w1", {3, 3, 3, 3}, -0.5, 0.5));
    leaves.push_back(uniform("gamma2", kChannels, 0.3, 0.5));
    leaves.push_back(Array(kChannels, {2.5, -2.5, 2.7}));
    leaves.push_back(uniform("w2", {3, 3, 3, 3}, -0.5, 0.5));
    check_differences(backend, leaves, [](Context& context, const auto& leaf) {
        const auto norm1 = batch_norm_of(context, leaf[0], leaf[1], leaf[2], true);
        const auto r = ops::conv(context, leaf[0], leaf[3], {.batch_norm = &norm1, .want_stats = true, .want_p = true});
        const ops::BatchNorm norm2{leaf[4], leaf[5], r.stats, kEpsilon, true};
        return loss_of_rows(context, ops::conv(context, r.y, leaf[6], {.batch_norm = &norm2, .residual = r.p}).y);
    });
}

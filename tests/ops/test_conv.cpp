// Convolution with batch norm, ReLU, residual and statistics, forward and backward.
#include "tests/ops/conv_cases.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"
#include "tests/support/reference_batch_norm.h"
#include "tests/support/reference_conv.h"
#include "tests/support/reference_fused.h"

using namespace residual;
using namespace test;

namespace {

constexpr double kEpsilon = 1e-3;

struct Inputs {
    Array x, w, gamma, beta, residual, dy, dp;

    Inputs(const ConvCase& c, DType dtype, Random random)
        : x(rounded(random.uniform({c.batch, c.height, c.width, c.in}, -1, 2), dtype)),
          w(rounded(random.uniform({c.out, c.kernel, c.kernel, c.in}, -0.5, 0.5), dtype)),
          gamma(rounded(random.uniform({c.in}, 0.5, 1.5), DType::kFloat32)),
          beta(rounded(random.uniform({c.in}, -0.5, 0.5), DType::kFloat32)),
          residual(x),
          dy(Shape{0}),
          dp(rounded(random.uniform(x.shape), dtype)) {
        const Shape y = ReferenceConv{c.stride, c.padding == kSame}.output_shape(x.shape, w.shape);
        if (c.residual != Residual::kInput) residual = rounded(random.uniform(y), dtype);
        dy = rounded(random.uniform(y), dtype);
    }
};

struct Expected {
    Array p, y;
    Array dx, dw, dgamma, dbeta;
};

Expected reference(const ConvCase& c, const Inputs& in) {
    const ReferenceConv conv{c.stride, c.padding == kSame};
    const ReferenceBatchNorm batch_norm{in.gamma, in.beta, kEpsilon, c.prologue == Prologue::kBatchNormRelu};
    const bool normalises = c.prologue != Prologue::kNone;

    const Array p = normalises ? batch_norm.forward(in.x, stats_of(in.x)) : in.x;
    Array y = conv.forward(p, in.w);
    if (c.residual != Residual::kNone) y = sum(y, in.residual);

    Array dx = conv.backward_data(in.dy, in.w, in.x.shape);
    const Array dw = conv.backward_weight(p, in.dy, in.w.shape);
    Array dgamma(in.gamma.shape), dbeta(in.beta.shape);
    if (c.p == NormalisedInput::kUsed) dx = sum(dx, in.dp);
    if (normalises) {
        const auto gradients = batch_norm.backward(in.x, dx);
        dx = gradients.dx;
        dgamma = gradients.dgamma;
        dbeta = gradients.dbeta;
    }
    if (c.residual == Residual::kInput) dx = sum(dx, in.dy);
    return {p, y, dx, dw, dgamma, dbeta};
}

void check_conv(Backend& backend, const ConvCase& c, DType dtype) {
    INFO(c.name << ", " << name_of(dtype));
    const Inputs in(c, dtype, Random(c.name));
    const Expected expected = reference(c, in);

    Tape tape;
    Context context{backend, &tape, true};
    const Variable x(upload(backend, in.x, dtype), c.x_requires_grad);
    // With a fixed float32 gradient tensor, like a parameter.
    const Variable w(upload(backend, in.w, dtype), backend.zeros(in.w.shape, DType::kFloat32));
    const Variable residual = c.residual == Residual::kInput ? x : Variable(upload(backend, in.residual, dtype), true);
    const ops::BatchNorm batch_norm{Variable(upload(backend, in.gamma, DType::kFloat32), true),
                                    Variable(upload(backend, in.beta, DType::kFloat32), true),
                                    ops::batch_stats(context, x), static_cast<float>(kEpsilon),
                                    c.prologue == Prologue::kBatchNormRelu};
    const bool normalises = c.prologue != Prologue::kNone;
    const auto result = ops::conv(context, x, w,
                                  {.stride = c.stride,
                                   .padding = c.padding,
                                   .batch_norm = normalises ? &batch_norm : nullptr,
                                   .residual = c.residual == Residual::kNone ? Variable() : residual,
                                   .want_stats = c.stats,
                                   .want_p = c.p != NormalisedInput::kUnwanted});

    const double bound = tolerance(dtype);
    const Array y = download(backend, result.y.value());
    CHECK(relative_error(y, expected.y) <= bound);
    CHECK(result.stats.defined() == (c.stats && !backend.prefers_batch_norm_training()));
    if (result.stats.defined()) {
        const ReferenceStats stats = stats_of(y);
        CHECK(relative_error(download(backend, result.stats.mean.value()), stats.mean) <= tolerance(DType::kFloat32));
        CHECK(relative_error(download(backend, result.stats.variance.value()), stats.variance) <=
              tolerance(DType::kFloat32));
    }
    CHECK(result.p.defined() == (c.p != NormalisedInput::kUnwanted));
    if (result.p.defined()) CHECK(relative_error(download(backend, result.p.value()), expected.p) <= bound);

    std::vector<std::pair<Variable, Tensor>> gradients{{result.y, upload(backend, in.dy, dtype)}};
    if (c.p == NormalisedInput::kUsed) gradients.emplace_back(result.p, upload(backend, in.dp, dtype));
    backward_from(context, std::move(gradients));
    CHECK(relative_error(grad_of(backend, w), expected.dw) <= bound);
    CHECK(x.has_grad() == c.x_requires_grad);
    if (c.x_requires_grad) CHECK(relative_error(grad_of(backend, x), expected.dx) <= bound);
    CHECK(batch_norm.gamma.has_grad() == normalises);
    if (normalises) {
        CHECK(relative_error(grad_of(backend, batch_norm.gamma), expected.dgamma) <= bound);
        CHECK(relative_error(grad_of(backend, batch_norm.beta), expected.dbeta) <= bound);
    }
    if (c.residual == Residual::kOther) CHECK(relative_error(grad_of(backend, residual), in.dy) == 0);
}

}  // namespace

DEVICE_TEST_CASE("conv equals plain loops in float32, forward and backward", "[ops]") {
    for (const ConvCase& c : kConvCases) check_conv(backend, c, DType::kFloat32);
}

DEVICE_TEST_CASE("conv equals plain loops in bfloat16, forward and backward", "[ops]") {
    for (const ConvCase& c : kConvCases) check_conv(backend, c, DType::kBFloat16);
}

TEST_CASE("fused conv equals plain loops, forward and backward", "[ops][fused]") {
    const auto backend = poisoned(make_reference_fused_backend());
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const ConvCase& c : kConvCases) check_conv(*backend, c, dtype);
    }
}

DEVICE_TEST_CASE("conv of one input with weights of several sizes", "[ops]") {
    // A backend must not use the plan that it cached for one shape for another.
    Random random("two weights");
    const Array x = rounded(random.uniform({2, 5, 5, 3}), DType::kFloat32);
    Context context{backend};
    for (const Shape& shape : {Shape{5, 3, 3, 3}, Shape{5, 1, 1, 3}, Shape{7, 3, 3, 3}, Shape{5, 3, 3, 3}}) {
        for (const int stride : {1, 2}) {
            INFO(shape.to_string() << " stride " << stride);
            const Array w = rounded(random.uniform(shape), DType::kFloat32);
            const auto y = ops::conv(context, Variable(upload(backend, x, DType::kFloat32), false),
                                     Variable(upload(backend, w, DType::kFloat32), false), {.stride = stride})
                               .y;
            CHECK(relative_error(download(backend, y.value()), ReferenceConv{stride, true}.forward(x, w)) <= 1e-5);
        }
    }
}

DEVICE_TEST_CASE("the gradient of a bfloat16 weight is float32, also without a fixed gradient tensor", "[ops]") {
    Random random("bfloat16 weight");
    const ReferenceConv reference{1, true};
    const Array x = rounded(random.uniform({2, 5, 3, 3}), DType::kBFloat16);
    const Array w = rounded(random.uniform({5, 3, 3, 3}), DType::kBFloat16);
    const Array dy = rounded(random.uniform({2, 5, 3, 5}), DType::kBFloat16);
    Tape tape;
    Context context{backend, &tape, true};
    const Variable input(upload(backend, x, DType::kBFloat16), false),
        weight(upload(backend, w, DType::kBFloat16), true);
    const Variable once = ops::conv(context, input, weight, {}).y, again = ops::conv(context, input, weight, {}).y;
    const Tensor above = upload(backend, dy, DType::kBFloat16);
    backward_from(context, {{once, above}, {again, above}});
    CHECK(weight.grad().dtype() == DType::kFloat32);
    const Array dw = reference.backward_weight(x, dy, w.shape);
    // cuDNN accumulates in float32 but rounds the result to bfloat16.
    const double rounding = backend.device() == DeviceType::kCuda ? 0x1p-9 : 0;
    CHECK(relative_error(grad_of(backend, weight), sum(dw, dw)) <= rounding + 1e-5);
}

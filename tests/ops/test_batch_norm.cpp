// Batch statistics and batch norm, forward and backward.
#include "engine/ops/batch_norm.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"
#include "tests/support/reference_batch_norm.h"

using namespace residual;
using namespace test;

namespace {

constexpr double kEpsilon = 1e-3;

// None with two rows per channel: see conv_cases.h.
const Shape kShapes[] = {{1, 1, 1, 5},  {3, 1, 1, 17}, {1, 3, 5, 3},  {2, 7, 5, 17},
                         {1, 1, 1, 16}, {5, 3, 3, 3},  {2, 9, 9, 16}, {7, 33}};

enum class Residual { kNone, kOther, kInput };

struct BatchNormCase {
    Shape shape;
    bool relu;
    Residual residual;
    DType dtype;

    std::string name() const {
        const char* residuals[] = {"no residual", "residual", "the input is the residual"};
        return shape.to_string() + (relu ? " ReLU, " : " ") + residuals[static_cast<int>(residual)] + ", " +
               std::string(name_of(dtype));
    }
};

std::vector<BatchNormCase> batch_norm_cases() {
    std::vector<BatchNormCase> cases;
    for (const Shape& shape : kShapes)
        for (const bool relu : {false, true})
            for (const Residual residual : {Residual::kNone, Residual::kOther, Residual::kInput})
                for (const DType dtype : {DType::kFloat32, DType::kBFloat16})
                    cases.push_back({shape, relu, residual, dtype});
    return cases;
}

void check_training(Backend& backend) {
    for (const BatchNormCase& c : batch_norm_cases()) {
        INFO(c.name());
        Random random(c.name());
        const Shape channels{c.shape[-1]};
        const Array x = rounded(random.uniform(c.shape, -2, 3), c.dtype);
        const Array other = rounded(random.uniform(c.shape), c.dtype);
        const Array dy = rounded(random.uniform(c.shape), c.dtype);
        const ReferenceBatchNorm reference{rounded(random.uniform(channels, 0.5, 1.5), DType::kFloat32),
                                           rounded(random.uniform(channels, -0.5, 0.5), DType::kFloat32), kEpsilon,
                                           c.relu};
        const Array* added = c.residual == Residual::kNone ? nullptr : c.residual == Residual::kOther ? &other : &x;

        Tape tape;
        Context context{backend, &tape, true};
        const Variable input(upload(backend, x, c.dtype), true);
        const Variable residual =
            c.residual == Residual::kInput ? input : Variable(upload(backend, other, c.dtype), true);
        const ops::BatchNorm batch_norm{Variable(upload(backend, reference.gamma, DType::kFloat32), true),
                                        Variable(upload(backend, reference.beta, DType::kFloat32), true),
                                        ops::batch_stats(context, input), static_cast<float>(kEpsilon), c.relu};
        CHECK(relative_error(download(backend, batch_norm.moments.mean.value()), stats_of(x).mean) <= 1e-5);
        CHECK(relative_error(download(backend, batch_norm.moments.variance.value()), stats_of(x).variance) <= 1e-5);

        const Variable y = ops::batch_norm(context, input, batch_norm, added ? residual : Variable());
        const double bound = tolerance(c.dtype);
        CHECK(relative_error(download(backend, y.value()), reference.forward(x, stats_of(x), added)) <= bound);

        backward_from(context, {{y, upload(backend, dy, c.dtype)}});
        const auto expected = reference.backward(x, dy, added);
        const Array dx = c.residual == Residual::kInput ? sum(expected.dx, expected.dresidual) : expected.dx;
        CHECK(relative_error(grad_of(backend, input), dx) <= bound);
        CHECK(relative_error(grad_of(backend, batch_norm.gamma), expected.dgamma) <= bound);
        CHECK(relative_error(grad_of(backend, batch_norm.beta), expected.dbeta) <= bound);
        if (c.residual == Residual::kOther) CHECK(relative_error(grad_of(backend, residual), expected.dresidual) == 0);
    }
}

}  // namespace

DEVICE_TEST_CASE("batch norm equals plain loops, forward and backward through the statistics", "[ops]") {
    check_training(backend);
}

DEVICE_TEST_CASE("batch norm in evaluation uses the given statistics", "[ops]") {
    for (const BatchNormCase& c : batch_norm_cases()) {
        if (c.residual == Residual::kInput) continue;
        INFO(c.name());
        Random random(c.name());
        const Shape channels{c.shape[-1]};
        const Array x = rounded(random.uniform(c.shape, -2, 3), c.dtype);
        const Array other = rounded(random.uniform(c.shape), c.dtype);
        const ReferenceStats stats{rounded(random.uniform(channels), DType::kFloat32),
                                   rounded(random.uniform(channels, 0.1, 2), DType::kFloat32)};
        const ReferenceBatchNorm reference{rounded(random.uniform(channels, 0.5, 1.5), DType::kFloat32),
                                           rounded(random.uniform(channels), DType::kFloat32), kEpsilon, c.relu};
        const auto constant = [&](const Array& array, DType dtype) {
            return Variable(upload(backend, array, dtype), false);
        };

        Context context{backend};
        const ops::BatchNorm batch_norm{
            constant(reference.gamma, DType::kFloat32),
            constant(reference.beta, DType::kFloat32),
            {constant(stats.mean, DType::kFloat32), constant(stats.variance, DType::kFloat32)},
            static_cast<float>(kEpsilon),
            c.relu};
        const bool adds = c.residual == Residual::kOther;
        const Variable y =
            ops::batch_norm(context, constant(x, c.dtype), batch_norm, adds ? constant(other, c.dtype) : Variable());
        const Array expected = reference.forward(x, stats, adds ? &other : nullptr);
        CHECK(relative_error(download(backend, y.value()), expected) <= tolerance(c.dtype));
    }
}

DEVICE_TEST_CASE("the variance of values far from zero is accurate", "[ops]") {
    // The mean of squares, near 1e6, would lose a variance near 1 to float32 rounding.
    Random random("far from zero");
    const Array x = rounded(random.uniform({4, 9, 7, 17}, 999, 1001), DType::kFloat32);
    Context context{backend};
    const ops::Moments stats = ops::batch_stats(context, Variable(upload(backend, x, DType::kFloat32), false));
    CHECK(relative_error(download(backend, stats.mean.value()), stats_of(x).mean) <= 1e-6);
    CHECK(relative_error(download(backend, stats.variance.value()), stats_of(x).variance) <= 1e-3);
}

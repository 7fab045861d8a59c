// The fully connected layer and softmax cross-entropy, forward and backward.
#include "engine/ops/linear.h"
#include "engine/ops/loss.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"
#include "tests/support/reference_dense.h"

using namespace residual;
using namespace test;

namespace {

struct LinearCase {
    int batch, in, out;
};
const LinearCase kLinearCases[] = {{1, 1, 1}, {1, 3, 5}, {3, 17, 10}, {5, 64, 10}, {17, 5, 1}, {128, 64, 10}};

struct LossCase {
    const char* name;
    int batch, classes;
    double scale;  // Logits are in -scale .. scale.
};
const LossCase kLossCases[] = {{"one row", 1, 2, 1},      {"two classes", 7, 2, 3},     {"ten classes", 128, 10, 5},
                               {"17 classes", 3, 17, 10}, {"large margin", 33, 10, 80}, {"far from zero", 5, 3, 1000}};

}  // namespace

DEVICE_TEST_CASE("linear equals plain loops, forward and backward", "[ops]") {
    for (const LinearCase& c : kLinearCases) {
        const std::string name =
            std::to_string(c.batch) + " x " + std::to_string(c.in) + " -> " + std::to_string(c.out);
        INFO(name);
        Random random(name);
        const auto values = [&](const Shape& shape) { return rounded(random.uniform(shape), DType::kFloat32); };
        const Array x = values({c.batch, c.in}), w = values({c.out, c.in}), b = values({c.out});
        const Array dy = values({c.batch, c.out});

        Tape tape;
        Context context{backend, &tape, true};
        const auto leaf = [&](const Array& array) { return Variable(upload(backend, array, DType::kFloat32), true); };
        const Variable input = leaf(x), weight = leaf(w), bias = leaf(b);
        const Variable y = ops::linear(context, input, weight, bias);
        Array expected = product(x, transposed(w)), db({c.out});
        for (int i = 0; i < c.batch * c.out; ++i) {
            expected.values[i] += b.values[i % c.out];
            db.values[i % c.out] += dy.values[i];
        }
        CHECK(relative_error(download(backend, y.value()), expected) <= 1e-5);
        backward_from(context, {{y, upload(backend, dy, DType::kFloat32)}});
        CHECK(relative_error(grad_of(backend, input), product(dy, w)) <= 1e-5);
        CHECK(relative_error(grad_of(backend, weight), product(transposed(dy), x)) <= 1e-5);
        CHECK(relative_error(grad_of(backend, bias), db) <= 1e-5);
    }
}

DEVICE_TEST_CASE("softmax_cross_entropy equals plain loops: loss, gradient, correct rows", "[ops]") {
    for (const LossCase& c : kLossCases) {
        INFO(c.name);
        Random random(c.name);
        const Array x = rounded(random.uniform({c.batch, c.classes}, -c.scale, c.scale), DType::kFloat32);
        std::vector<int32_t> labels;
        for (int i = 0; i < c.batch; ++i) labels.push_back(random.below(c.classes));
        const ReferenceLoss expected(x, labels);

        Tape tape;
        Context context{backend, &tape, true};
        const Variable logits(upload(backend, x, DType::kFloat32), true);
        const auto result = ops::softmax_cross_entropy(context, logits, upload_labels(backend, labels));
        CHECK(relative_error(download(backend, result.loss.value()), Array({1}, {expected.loss})) <= 1e-5);
        CHECK(values_of<int32_t>(backend, result.correct) == std::vector<int32_t>{expected.correct});

        // The gradient of the loss multiplies that of the logits.
        const double above = 2.5;
        backward_from(context, {{result.loss, upload(backend, Array({1}, {above}), DType::kFloat32)}});
        Array dlogits = expected.dlogits;
        for (double& value : dlogits.values) value *= above;
        CHECK(relative_error(grad_of(backend, logits), dlogits) <= 1e-5);
    }
}

DEVICE_TEST_CASE("softmax_cross_entropy computes no gradient if none is required", "[ops]") {
    Context context{backend};
    const std::vector<int32_t> labels{1, 0};
    const Array x({2, 2}, {0, 0, 3, 1});
    const auto result = ops::softmax_cross_entropy(context, Variable(upload(backend, x, DType::kFloat32), false),
                                                   upload_labels(backend, labels));
    CHECK_FALSE(result.loss.requires_grad());
    // Of equal logits the first is the prediction, so row 0 is wrong.
    CHECK(values_of<int32_t>(backend, result.correct) == std::vector<int32_t>{1});
}

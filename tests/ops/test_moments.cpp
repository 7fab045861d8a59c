// Mean and variance as outputs of operations: their gradients, and moments merged over parts of a batch.
#include "engine/ops/batch_norm.h"
#include "engine/ops/elementwise.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"
#include "tests/support/reference_batch_norm.h"

using namespace residual;
using namespace test;

namespace {

constexpr float kEpsilon = 1e-3f;

Variable leaf(Backend& backend, const Array& array, DType dtype = DType::kFloat32) {
    return Variable(upload(backend, array, dtype), true);
}

// An operation for this test: merges the moments of two tensors with equal numbers of rows, as two devices would.
ops::Moments merged(Context& context, const ops::Moments& a, const ops::Moments& b) {
    Backend& backend = context.backend;
    Array mean = download(backend, a.mean.value()), variance = mean;
    const Array mean_a = mean, mean_b = download(backend, b.mean.value());
    const Array variance_a = download(backend, a.variance.value()), variance_b = download(backend, b.variance.value());
    for (size_t c = 0; c < mean.values.size(); ++c) {
        const double half_delta = (mean_b.values[c] - mean_a.values[c]) / 2;
        mean.values[c] = mean_a.values[c] + half_delta;
        variance.values[c] = (variance_a.values[c] + variance_b.values[c]) / 2 + half_delta * half_delta;
    }
    const bool records = context.records(a.mean, b.mean);
    const auto output = [&](const Array& array) { return Variable(upload(backend, array, DType::kFloat32), records); };
    const ops::Moments out{output(mean), output(variance), a.rows + b.rows};
    context.tape->record({out.mean, out.variance}, [&backend, a, b, out, mean_a, mean_b] {
        const Array dmean = download(backend, out.mean.grad()), dvariance = download(backend, out.variance.grad());
        for (const bool first : {true, false}) {
            Array to_mean = dmean, to_variance = dvariance;
            for (size_t c = 0; c < to_mean.values.size(); ++c) {
                const double delta = (mean_b.values[c] - mean_a.values[c]) / 2;
                to_mean.values[c] = dmean.values[c] / 2 + (first ? -1 : 1) * delta * dvariance.values[c];
                to_variance.values[c] = dvariance.values[c] / 2;
            }
            const ops::Moments& in = first ? a : b;
            in.mean.add_grad(backend, upload(backend, to_mean, DType::kFloat32));
            in.variance.add_grad(backend, upload(backend, to_variance, DType::kFloat32));
        }
    });
    return out;
}

Array part_of(const Array& whole, int64_t first, const Shape& shape) {
    const auto begin = whole.values.begin() + first;
    return Array(shape, std::vector<double>(begin, begin + shape.elements()));
}

}  // namespace

DEVICE_TEST_CASE("the moments of a tensor are outputs with gradients", "[ops]") {
    const Shape shape{3, 4, 5, 7}, channels{7};
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const bool mean_learns : {true, false}) {
            for (const bool variance_learns : {true, false}) {
                INFO(name_of(dtype) << ", mean " << mean_learns << ", variance " << variance_learns);
                Random random("moments");
                const Array x = rounded(random.uniform(shape, -1, 4), dtype);
                const Array dmean = random.uniform(channels, -60, 60), dvariance = random.uniform(channels, -60, 60);
                const Array dy = rounded(random.uniform(shape), dtype);
                Tape tape;
                Context context{backend, &tape, true};
                const Variable input = leaf(backend, x, dtype);
                const ops::Moments moments = ops::batch_stats(context, input);
                std::vector<std::pair<Variable, Tensor>> gradients;
                gradients.emplace_back(ops::relu(context, input), upload(backend, dy, dtype));
                if (mean_learns) gradients.emplace_back(moments.mean, upload(backend, dmean, DType::kFloat32));
                if (variance_learns) {
                    gradients.emplace_back(moments.variance, upload(backend, dvariance, DType::kFloat32));
                }
                backward_from(context, std::move(gradients));
                const ReferenceStats stats = stats_of(x);
                const double rows = 3 * 4 * 5;
                Array expected(shape);
                for (size_t i = 0; i < x.values.size(); ++i) {
                    const size_t c = i % 7;
                    if (x.values[i] > 0) expected.values[i] += dy.values[i];
                    if (mean_learns) expected.values[i] += dmean.values[c] / rows;
                    if (variance_learns) {
                        expected.values[i] += 2 * dvariance.values[c] * (x.values[i] - stats.mean.values[c]) / rows;
                    }
                }
                CHECK(relative_error(grad_of(backend, input), expected) <= tolerance(dtype));
            }
        }
    }
}

// 5 channels: a number for which cuDNN has no plan.
DEVICE_TEST_CASE("batch_norm_training normalises with the moments of x and updates the running ones", "[ops]") {
    const int count = GENERATE(16, 5);
    const Shape shape{3, 5, 4, count}, channels{count};
    Random random("one operation");
    const Array x = rounded(random.uniform(shape, -1, 4), DType::kFloat32);
    const Array other = rounded(random.uniform(shape), DType::kFloat32);
    const Array dy = rounded(random.uniform(shape), DType::kFloat32);
    const Array running_mean = random.uniform(channels), running_variance = random.uniform(channels, 0.5, 2);
    const Array gamma = rounded(random.uniform(channels, 0.5, 1.5), DType::kFloat32),
                beta = rounded(random.uniform(channels, -0.5, 0.5), DType::kFloat32);
    const ReferenceStats stats = stats_of(x);
    for (const auto& [relu, adds] : {std::pair{true, false}, {true, true}, {false, false}, {false, true}}) {
        INFO("ReLU " << relu << ", residual " << adds << ", channels " << count);
        const ReferenceBatchNorm reference{gamma, beta, kEpsilon, relu};
        Tape tape;
        Context context{backend, &tape, true};
        const Variable input = leaf(backend, x), residual = leaf(backend, other);
        const auto constant = [&](const Array& array) {
            return Variable(upload(backend, array, DType::kFloat32), false);
        };
        const ops::BatchNorm batch_norm{.gamma = leaf(backend, reference.gamma),
                                        .beta = leaf(backend, reference.beta),
                                        .epsilon = kEpsilon,
                                        .relu = relu,
                                        .running = {constant(running_mean), constant(running_variance)},
                                        .decay = 0.75f};
        // The gradient of the batch norm is added to that of another consumer of x.
        const Variable copy = ops::relu(context, input);
        const Variable y = ops::batch_norm_training(context, input, batch_norm, adds ? residual : Variable());
        const Array* added = adds ? &other : nullptr;
        CHECK(relative_error(download(backend, y.value()), reference.forward(x, stats, added)) <= 1e-5);
        Array updated_mean = running_mean, updated_variance = running_variance;
        for (size_t c = 0; c < updated_mean.values.size(); ++c) {
            updated_mean.values[c] = 0.75 * running_mean.values[c] + 0.25 * stats.mean.values[c];
            updated_variance.values[c] = 0.75 * running_variance.values[c] + 0.25 * stats.variance.values[c] * 60 / 59;
        }
        CHECK(relative_error(download(backend, batch_norm.running.mean.value()), updated_mean) <= 1e-5);
        CHECK(relative_error(download(backend, batch_norm.running.variance.value()), updated_variance) <= 1e-5);

        backward_from(context,
                      {{y, upload(backend, dy, DType::kFloat32)}, {copy, upload(backend, other, DType::kFloat32)}});
        auto expected = reference.backward(x, dy, added);
        for (size_t i = 0; i < x.values.size(); ++i) {
            if (x.values[i] > 0) expected.dx.values[i] += other.values[i];
        }
        CHECK(relative_error(grad_of(backend, input), expected.dx) <= 1e-5);
        CHECK(relative_error(grad_of(backend, batch_norm.gamma), expected.dgamma) <= 1e-5);
        CHECK(relative_error(grad_of(backend, batch_norm.beta), expected.dbeta) <= 1e-5);
        if (adds) CHECK(relative_error(grad_of(backend, residual), expected.dresidual) == 0);
    }
}

DEVICE_TEST_CASE("batch norm with moments merged over two parts of a batch equals that of the whole batch", "[ops]") {
    const Shape whole{4, 5, 4, 6}, half{2, 5, 4, 6}, channels{6};
    Random random("two parts");
    Array x = random.uniform(whole, -1, 4);
    for (size_t i = 0; i < x.values.size() / 2; ++i) x.values[i] += 1;  // The parts differ in their means.
    x = rounded(x, DType::kFloat32);
    const Array dy = rounded(random.uniform(whole), DType::kFloat32);
    const ReferenceBatchNorm reference{rounded(random.uniform(channels, 0.5, 1.5), DType::kFloat32),
                                       rounded(random.uniform(channels, -0.5, 0.5), DType::kFloat32), kEpsilon, true};
    Tape tape;
    Context context{backend, &tape, true};
    const Array running_mean = random.uniform(channels), running_variance = random.uniform(channels, 0.5, 2);
    const auto constant = [&](const Array& array) { return Variable(upload(backend, array, DType::kFloat32), false); };
    ops::BatchNorm batch_norm{.gamma = leaf(backend, reference.gamma),
                              .beta = leaf(backend, reference.beta),
                              .epsilon = kEpsilon,
                              .relu = true};
    const Variable first = leaf(backend, part_of(x, 0, half)),
                   second = leaf(backend, part_of(x, half.elements(), half));
    const ops::Moments of_first = ops::batch_stats(context, first);
    // The second part merges the moments and updates the running statistics; the first uses the result.
    ops::BatchNorm updating = batch_norm;
    updating.running = {constant(running_mean), constant(running_variance)};
    updating.decay = 0.75f;
    const Variable y_second = ops::batch_norm_training(
        context, second, updating, {},
        [&](Context& c, const ops::Moments& of_second) { return batch_norm.moments = merged(c, of_first, of_second); });
    const Variable y_first = ops::batch_norm(context, first, batch_norm);

    const Array y = reference.forward(x, stats_of(x));
    CHECK(relative_error(download(backend, y_first.value()), part_of(y, 0, half)) <= 1e-5);
    CHECK(relative_error(download(backend, y_second.value()), part_of(y, half.elements(), half)) <= 1e-5);
    Array updated = running_variance;
    for (size_t c = 0; c < updated.values.size(); ++c) {
        updated.values[c] = 0.75 * updated.values[c] + 0.25 * stats_of(x).variance.values[c] * 80 / 79;
    }
    CHECK(relative_error(download(backend, updating.running.variance.value()), updated) <= 1e-5);

    const auto above = [&](int64_t from) { return upload(backend, part_of(dy, from, half), DType::kFloat32); };
    backward_from(context, {{y_first, above(0)}, {y_second, above(half.elements())}});
    const auto expected = reference.backward(x, dy);
    CHECK(relative_error(grad_of(backend, first), part_of(expected.dx, 0, half)) <= 1e-5);
    CHECK(relative_error(grad_of(backend, second), part_of(expected.dx, half.elements(), half)) <= 1e-5);
    CHECK(relative_error(grad_of(backend, batch_norm.gamma), expected.dgamma) <= 1e-5);
    CHECK(relative_error(grad_of(backend, batch_norm.beta), expected.dbeta) <= 1e-5);
}

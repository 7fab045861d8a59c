// The tape: which closures run, how gradients accumulate, and when memory is released. The values are small integers,
// so sums are exact.
#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/linear.h"
#include "engine/ops/loss.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"

using namespace residual;
using namespace test;

namespace {

Array whole_numbers(const char* name, const Shape& shape) {
    Random random(name);
    Array array(shape);
    for (double& value : array.values) value = random.below(9) - 4;
    return array;
}

Tensor to_device(Backend& backend, const Array& array) {
    return upload(backend, array, DType::kFloat32);
}

Variable leaf(Backend& backend, const Array& array) {
    return Variable(to_device(backend, array), true);
}

Array times(Array array, double factor) {
    for (double& value : array.values) value *= factor;
    return array;
}

}  // namespace

DEVICE_TEST_CASE("a tensor with three consumers gets the sum of their gradients", "[autograd]") {
    const Shape shape{3, 5};
    const Array a = whole_numbers("a", shape), dy = whole_numbers("dy", shape);
    Tape tape;
    Context context{backend, &tape, true};
    const Variable x = leaf(backend, a);
    const Variable first = ops::relu(context, x);
    const Variable second = ops::add(context, x, first);
    const Variable third = ops::cast(context, ops::cast(context, x, DType::kBFloat16), DType::kFloat32);
    backward_from(context, {{ops::add(context, ops::add(context, first, second), third), to_device(backend, dy)}});

    // `second` and `third` each add dy; relu(x) is used twice.
    Array expected = times(dy, 2);
    for (size_t i = 0; i < a.values.size(); ++i) {
        if (a.values[i] > 0) expected.values[i] += 2 * dy.values[i];
    }
    CHECK(relative_error(grad_of(backend, x), expected) == 0);
}

DEVICE_TEST_CASE("a weight that is used twice gets both gradients, with and without a fixed gradient tensor",
                 "[autograd]") {
    const Array x1 = whole_numbers("x1", {2, 3}), x2 = whole_numbers("x2", {2, 3}), w = whole_numbers("w", {4, 3});
    const Array dy1 = whole_numbers("dy1", {2, 4}), dy2 = whole_numbers("dy2", {2, 4});
    Array expected({4, 3}), expected_bias({4});
    for (int row = 0; row < 2; ++row)
        for (int out = 0; out < 4; ++out) {
            const double d1 = dy1.values[row * 4 + out], d2 = dy2.values[row * 4 + out];
            expected_bias.values[out] += d1 + d2;
            for (int in = 0; in < 3; ++in)
                expected.values[out * 3 + in] += d1 * x1.values[row * 3 + in] + d2 * x2.values[row * 3 + in];
        }

    for (const bool fixed : {false, true}) {
        INFO("fixed gradient tensor " << fixed);
        Tape tape;
        Context context{backend, &tape, true};
        // The old content of the fixed gradient tensor must be ignored.
        const Tensor place = to_device(backend, whole_numbers("old", {4, 3}));
        const Variable weight = fixed ? Variable(to_device(backend, w), place) : leaf(backend, w);
        const Variable bias = leaf(backend, Array({4}));
        const Variable y1 = ops::linear(context, Variable(to_device(backend, x1), false), weight, bias);
        const Variable y2 = ops::linear(context, Variable(to_device(backend, x2), false), weight, bias);
        backward_from(context, {{y1, to_device(backend, dy1)}, {y2, to_device(backend, dy2)}});
        CHECK(relative_error(grad_of(backend, weight), expected) == 0);
        CHECK(relative_error(grad_of(backend, bias), expected_bias) == 0);
        if (fixed) CHECK(weight.grad().data() == place.data());
    }
}

DEVICE_TEST_CASE("adding to the gradient of one variable does not change a variable that shares the tensor",
                 "[autograd]") {
    const Shape shape{4, 3};
    const Array a = whole_numbers("a", shape), dy = whole_numbers("dy", shape);
    Tape tape;
    Context context{backend, &tape, true};
    const Variable x = leaf(backend, a), y = leaf(backend, a), other = leaf(backend, a);
    // Backward runs `sum` first, after which x, y and `above` share one tensor. Then `again` adds to x.
    const Variable again = ops::add(context, x, other);
    const Variable sum = ops::add(context, x, y);
    const Tensor above = to_device(backend, dy);
    backward_from(context, {{sum, above}, {again, above}});
    CHECK(relative_error(grad_of(backend, x), times(dy, 2)) == 0);
    CHECK(relative_error(grad_of(backend, y), dy) == 0);
    CHECK(relative_error(grad_of(backend, other), dy) == 0);
    CHECK(relative_error(download(backend, above), dy) == 0);
}

DEVICE_TEST_CASE("an unshared gradient is added to in place, a shared one is copied", "[autograd]") {
    const Array one({2}, {1, 1}), two({2}, {2, 2});
    const Variable x = leaf(backend, one);
    x.add_grad(backend, to_device(backend, one));
    const void* place = x.grad().data();
    x.add_grad(backend, to_device(backend, one));
    CHECK(x.grad().data() == place);
    const Tensor kept = x.grad();
    x.add_grad(backend, to_device(backend, one));
    CHECK(x.grad().data() != place);
    CHECK(relative_error(download(backend, kept), two) == 0);

    // accumulate_grad() must not write to a shared gradient either.
    const Tensor shared = x.grad();
    x.accumulate_grad(backend, backend.empty({2}, DType::kFloat32), [&](const Tensor& target, bool accumulate) {
        CHECK_FALSE(accumulate);
        backend.copy(to_device(backend, one), target);
    });
    CHECK(relative_error(download(backend, shared), Array({2}, {3, 3})) == 0);
    CHECK(relative_error(grad_of(backend, x), Array({2}, {4, 4})) == 0);
}

DEVICE_TEST_CASE("a fixed gradient tensor stays in use, and is overwritten after clear_grad", "[autograd]") {
    const Array one({2}, {1, 1}), three({2}, {3, 3});
    const Tensor place = to_device(backend, Array({2}, {7, 7}));
    const Variable x(to_device(backend, one), place);
    CHECK_FALSE(x.has_grad());
    const auto write_one = [&] {
        const Tensor target = x.grad_target(backend);
        CHECK((target.data() == place.data()) == !x.has_grad());
        backend.copy(to_device(backend, one), target);
        x.add_grad(backend, target);
    };
    x.add_grad(backend, to_device(backend, one));
    x.add_grad(backend, to_device(backend, one));
    write_one();
    x.accumulate_grad(backend, backend.empty({2}, DType::kFloat32), [&](const Tensor& to, bool accumulate) {
        CHECK(accumulate);
        CHECK(to.data() == place.data());
    });
    CHECK(relative_error(download(backend, place), three) == 0);
    x.clear_grad();
    CHECK_FALSE(x.has_grad());
    write_one();
    CHECK(relative_error(download(backend, place), one) == 0);
}

DEVICE_TEST_CASE("a branch that does not contribute to the loss does not run", "[autograd]") {
    Tape tape;
    const Variable x = leaf(backend, Array({1}, {2}));
    const Variable unused(backend.zeros({1}, DType::kFloat32), true), used(backend.zeros({1}, DType::kFloat32), true);
    int runs_of_unused = 0, runs_of_used = 0;
    tape.record({unused}, [&] { ++runs_of_unused; });
    tape.record({used}, [&] {
        ++runs_of_used;
        x.add_grad(backend, used.grad());
    });
    tape.backward(backend, used);
    CHECK(runs_of_unused == 0);
    CHECK(runs_of_used == 1);
    CHECK(relative_error(grad_of(backend, x), Array({1}, {1})) == 0);
    // The tape is empty now, so nothing runs a second time.
    tape.backward(backend, used);
    CHECK(runs_of_used == 1);
}

// An operation for this test with two outputs: quotient and remainder of a division of integers by four. Backward
// multiplies the gradient of the remainder by ten, to tell the two contributions apart.
struct Divided {
    Variable quotient, remainder;
};

Divided divided_by_four(Context& context, const Variable& x, std::vector<bool>& reached) {
    Backend& backend = context.backend;
    Array quotients = download(backend, x.value()), remainders = quotients;
    for (double& value : quotients.values) value = std::floor(value / 4);
    for (double& value : remainders.values) value -= 4 * std::floor(value / 4);
    const bool records = context.records(x);
    const Divided out{Variable(to_device(backend, quotients), records),
                      Variable(to_device(backend, remainders), records)};
    context.tape->record({out.quotient, out.remainder}, [&backend, &reached, x, out] {
        reached = {out.quotient.has_grad(), out.remainder.has_grad()};
        if (reached[0]) x.add_grad(backend, out.quotient.grad());
        if (reached[1]) x.add_grad(backend, to_device(backend, times(download(backend, out.remainder.grad()), 10)));
    });
    return out;
}

DEVICE_TEST_CASE("a closure with two outputs runs if at least one has a gradient", "[autograd]") {
    const Array a({3}, {9, 6, 3}), dy({3}, {1, 2, 3});
    for (const bool use_quotient : {false, true}) {
        for (const bool use_remainder : {false, true}) {
            INFO("quotient " << use_quotient << ", remainder " << use_remainder);
            Tape tape;
            Context context{backend, &tape, true};
            const Variable x = leaf(backend, a);
            std::vector<bool> reached;
            const Divided out = divided_by_four(context, x, reached);
            CHECK(download(backend, out.quotient.value()).values == std::vector<double>{2, 1, 0});
            CHECK(download(backend, out.remainder.value()).values == std::vector<double>{1, 2, 3});
            std::vector<std::pair<Variable, Tensor>> gradients;
            if (use_quotient) gradients.emplace_back(out.quotient, to_device(backend, dy));
            if (use_remainder) gradients.emplace_back(out.remainder, to_device(backend, dy));
            backward_from(context, std::move(gradients));
            CHECK_FALSE(out.quotient.has_grad());
            CHECK_FALSE(out.remainder.has_grad());
            if (!use_quotient && !use_remainder) {
                CHECK(reached.empty());
                CHECK_FALSE(x.has_grad());
                continue;
            }
            CHECK(reached == std::vector<bool>{use_quotient, use_remainder});
            CHECK(relative_error(grad_of(backend, x), times(dy, use_quotient + 10 * use_remainder)) == 0);
        }
    }
}

DEVICE_TEST_CASE("nothing is recorded without a tape, or if no operand requires a gradient", "[autograd]") {
    Tape tape;
    Context evaluation{backend}, training{backend, &tape, true};
    const Array a = whole_numbers("a", {2, 3});
    const Variable x = leaf(backend, a), constant(to_device(backend, a), false);
    const size_t before = backend.arena().bytes_in_use();
    {
        CHECK_FALSE(ops::relu(evaluation, ops::add(evaluation, x, x)).requires_grad());
        CHECK_FALSE(ops::relu(training, ops::add(training, constant, constant)).requires_grad());
    }
    // A closure would have kept its operands in memory.
    CHECK(backend.arena().bytes_in_use() == before);
    CHECK(ops::add(training, constant, x).requires_grad());
    CHECK(backend.arena().bytes_in_use() > before);
}

DEVICE_TEST_CASE("backward releases the tensors of each closure as soon as it has run", "[autograd]") {
    constexpr int kLayers = 8;
    constexpr int64_t kElements = 1 << 16;
    const size_t tensor_bytes = kElements * sizeof(float);
    const Variable x(backend.zeros({kElements}, DType::kFloat32), true);
    const Tensor dy = backend.zeros({kElements}, DType::kFloat32);
    const size_t before = backend.arena().bytes_in_use();
    std::vector<size_t> in_use;
    {
        Tape tape;
        Context context{backend, &tape, true};
        Variable y = x;
        for (int layer = 0; layer < kLayers; ++layer) {
            y = ops::relu(context, y);
            const Variable probe(y.value(), true);
            tape.record({probe}, [&backend, &in_use, y, probe] {
                in_use.push_back(backend.arena().bytes_in_use());
                y.add_grad(backend, probe.grad());
            });
            y = probe;
        }
        CHECK(backend.arena().bytes_in_use() == before + kLayers * tensor_bytes);
        const Variable last = std::exchange(y, {});
        backward_from(context, {{last, dy}});
    }
    // Each layer releases its result before the preceding layer runs; in addition, one gradient is in use.
    REQUIRE(in_use.size() == kLayers);
    for (int i = 2; i < kLayers; ++i) CHECK(in_use[i] + tensor_bytes == in_use[i - 1]);
    CHECK(in_use.back() <= before + 4 * tensor_bytes);
    CHECK(x.grad().bytes() == tensor_bytes);
    x.clear_grad();
    CHECK(backend.arena().bytes_in_use() == before);
}

DEVICE_TEST_CASE("leaves keep their gradient after backward, and a second backward adds to it", "[autograd]") {
    const Array a = whole_numbers("a", {3}), dy = whole_numbers("dy", {3});
    const Variable x = leaf(backend, a);
    for (const int runs : {1, 2, 3}) {
        Tape tape;
        Context context{backend, &tape, true};
        const Variable y = ops::add(context, x, leaf(backend, a));
        backward_from(context, {{y, to_device(backend, dy)}});
        CHECK_FALSE(y.has_grad());
        CHECK(relative_error(grad_of(backend, x), times(dy, runs)) == 0);
    }
    x.clear_grad();
    CHECK_FALSE(x.has_grad());
    CHECK_THROWS_AS(x.grad(), AssertionError);
}

TEST_CASE("the loss must be one float32, and a gradient must have the shape of its variable", "[autograd]") {
    const auto backend = make_cpu_backend();
    Tape tape;
    CHECK_THROWS_AS(tape.backward(*backend, Variable(backend->zeros({2}, DType::kFloat32), true)), AssertionError);
    CHECK_THROWS_AS(tape.backward(*backend, Variable(backend->zeros({1}, DType::kBFloat16), true)), AssertionError);
    const Variable x(backend->zeros({2}, DType::kFloat32), true);
    CHECK_THROWS_AS(x.add_grad(*backend, backend->zeros({3}, DType::kFloat32)), AssertionError);
    CHECK_THROWS_AS(Variable(backend->zeros({2}, DType::kFloat32), backend->zeros({3}, DType::kFloat32)),
                    AssertionError);
}

// ReLU, addition and casts, forward and backward. Their results are exact up to one rounding, so comparisons are exact.
#include "engine/ops/elementwise.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"

using namespace residual;
using namespace test;

namespace {

const Shape kShapes[] = {{1}, {3}, {1, 1, 1, 17}, {2, 5, 3, 5}, {3, 7, 5, 17}, {1031}};

}  // namespace

DEVICE_TEST_CASE("relu keeps positive values, forward and backward", "[ops]") {
    for (const Shape& shape : kShapes) {
        for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
            INFO(shape.to_string() << ", " << name_of(dtype));
            Random random(shape.to_string());
            Array x = rounded(random.uniform(shape), dtype);
            x.values.back() = 0;  // At 0 the gradient is zero.
            const Array dy = rounded(random.uniform(shape), dtype);
            Array y(shape), dx(shape);
            for (size_t i = 0; i < x.values.size(); ++i) {
                y.values[i] = x.values[i] > 0 ? x.values[i] : 0;
                dx.values[i] = x.values[i] > 0 ? dy.values[i] : 0;
            }

            Tape tape;
            Context context{backend, &tape, true};
            const Variable input(upload(backend, x, dtype), true);
            const Variable out = ops::relu(context, input);
            CHECK(relative_error(download(backend, out.value()), y) == 0);
            backward_from(context, {{out, upload(backend, dy, dtype)}});
            CHECK(relative_error(grad_of(backend, input), dx) == 0);
        }
    }
}

DEVICE_TEST_CASE("add rounds once and passes its gradient to both operands", "[ops]") {
    for (const Shape& shape : kShapes) {
        for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
            INFO(shape.to_string() << ", " << name_of(dtype));
            Random random(shape.to_string());
            const Array a = rounded(random.uniform(shape), dtype), b = rounded(random.uniform(shape), dtype);
            const Array dy = rounded(random.uniform(shape), dtype);

            Tape tape;
            Context context{backend, &tape, true};
            const Variable first(upload(backend, a, dtype), true), second(upload(backend, b, dtype), true);
            const Variable out = ops::add(context, first, second);
            CHECK(relative_error(download(backend, out.value()), rounded(sum(a, b), dtype)) == 0);
            backward_from(context, {{out, upload(backend, dy, dtype)}});
            CHECK(relative_error(grad_of(backend, first), dy) == 0);
            CHECK(relative_error(grad_of(backend, second), dy) == 0);
        }
    }
}

DEVICE_TEST_CASE("add of a tensor to itself doubles the gradient", "[ops]") {
    Random random("twice");
    const Array a = rounded(random.uniform({3, 17}), DType::kFloat32),
                dy = rounded(random.uniform({3, 17}), DType::kFloat32);
    Tape tape;
    Context context{backend, &tape, true};
    const Variable x(upload(backend, a, DType::kFloat32), true);
    const Variable out = ops::add(context, x, x);
    CHECK(relative_error(download(backend, out.value()), sum(a, a)) == 0);
    backward_from(context, {{out, upload(backend, dy, DType::kFloat32)}});
    CHECK(relative_error(grad_of(backend, x), sum(dy, dy)) == 0);
}

DEVICE_TEST_CASE("cast rounds to nearest, and its gradient is cast back", "[ops]") {
    for (const Shape& shape : kShapes) {
        for (const auto& [from, to] :
             {std::pair(DType::kFloat32, DType::kBFloat16), std::pair(DType::kBFloat16, DType::kFloat32)}) {
            INFO(shape.to_string() << ", " << name_of(from) << " to " << name_of(to));
            Random random(shape.to_string());
            const Array x = rounded(random.uniform(shape), from), dy = rounded(random.uniform(shape), to);

            Tape tape;
            Context context{backend, &tape, true};
            const Variable input(upload(backend, x, from), true);
            const Variable out = ops::cast(context, input, to);
            CHECK(out.value().dtype() == to);
            CHECK(relative_error(download(backend, out.value()), rounded(x, to)) == 0);
            backward_from(context, {{out, upload(backend, dy, to)}});
            CHECK(input.grad().dtype() == from);
            CHECK(relative_error(grad_of(backend, input), rounded(dy, from)) == 0);
        }
    }
}

DEVICE_TEST_CASE("cast to the same type returns the tensor itself", "[ops]") {
    Context context{backend};
    const Variable x(backend.zeros({3}, DType::kBFloat16), false);
    CHECK(ops::cast(context, x, DType::kBFloat16).value().data() == x.value().data());
}

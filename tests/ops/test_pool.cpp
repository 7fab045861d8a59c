// Shortcuts without weights and the global average pool, forward and backward.
#include "engine/ops/pool.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"
#include "tests/support/reference_pool.h"

using namespace residual;
using namespace test;

namespace {

struct ShortcutCase {
    const char* name;
    ShortcutKind kind;
    Shape x;
    int channels;
};

const ShortcutCase kShortcutCases[] = {
    {"pool, smallest image", ShortcutKind::kAveragePool, {1, 2, 2, 3}, 6},
    {"pool, odd size drops a row and a column", ShortcutKind::kAveragePool, {3, 5, 7, 5}, 10},
    {"pool, three by three", ShortcutKind::kAveragePool, {2, 3, 3, 17}, 34},
    {"pool, odd number of new channels", ShortcutKind::kAveragePool, {1, 4, 6, 3}, 8},
    {"pool, no new channels", ShortcutKind::kAveragePool, {2, 4, 4, 17}, 17},
    {"pool, as in the networks", ShortcutKind::kAveragePool, {2, 8, 8, 16}, 32},
    {"subsample, one pixel", ShortcutKind::kSubsample, {1, 1, 1, 3}, 5},
    {"subsample, odd size keeps the last row and column", ShortcutKind::kSubsample, {3, 5, 7, 5}, 10},
    {"subsample, odd number of new channels", ShortcutKind::kSubsample, {2, 4, 3, 3}, 8},
    {"subsample, no new channels", ShortcutKind::kSubsample, {2, 3, 4, 17}, 17},
    {"subsample, as in the networks", ShortcutKind::kSubsample, {2, 8, 8, 16}, 32},
};

const Shape kImages[] = {{1, 1, 1, 3}, {3, 1, 1, 17}, {2, 5, 7, 5}, {1, 9, 9, 17}, {2, 8, 8, 64}};

}  // namespace

DEVICE_TEST_CASE("shortcut equals plain loops, forward and backward", "[ops]") {
    for (const ShortcutCase& c : kShortcutCases) {
        for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
            INFO(c.name << ", " << name_of(dtype));
            Random random(c.name);
            const ReferenceShortcut reference{c.kind, c.channels};
            const Array x = rounded(random.uniform(c.x), dtype);
            const Array dy = rounded(random.uniform(reference.output_shape(c.x)), dtype);

            Tape tape;
            Context context{backend, &tape, true};
            const Variable input(upload(backend, x, dtype), true);
            const Variable y = ops::shortcut(context, input, c.kind, c.channels);
            CHECK(relative_error(download(backend, y.value()), reference.forward(x)) <= tolerance(dtype));
            backward_from(context, {{y, upload(backend, dy, dtype)}});
            CHECK(relative_error(grad_of(backend, input), reference.backward(dy, c.x)) <= tolerance(dtype));
        }
    }
}

DEVICE_TEST_CASE("global_average_pool equals plain loops, forward and backward", "[ops]") {
    for (const Shape& shape : kImages) {
        for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
            INFO(shape.to_string() << ", " << name_of(dtype));
            Random random(shape.to_string());
            const Array x = rounded(random.uniform(shape), dtype);
            const Array dy = rounded(random.uniform({shape[0], shape[3]}), DType::kFloat32);

            Tape tape;
            Context context{backend, &tape, true};
            const Variable input(upload(backend, x, dtype), true);
            const Variable y = ops::global_average_pool(context, input);
            // Accumulated and returned in float32, whatever the type of x.
            CHECK(relative_error(download(backend, y.value()), reference_global_average_pool(x)) <= 1e-5);
            backward_from(context, {{y, upload(backend, dy, DType::kFloat32)}});
            CHECK(input.grad().dtype() == dtype);
            CHECK(relative_error(grad_of(backend, input), reference_global_average_pool_backward(dy, shape)) <=
                  tolerance(dtype));
        }
    }
}

// The messages for operands that do not match: they name the operation and the offending value.
#include <functional>

#include "engine/ops/conv.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/linear.h"
#include "engine/ops/loss.h"
#include "engine/ops/pool.h"
#include "tests/support/devices.h"

using namespace residual;

namespace {

class Operands {
  public:
    explicit Operands(Backend& backend) : context{backend} {}

    Variable of(const Shape& shape, DType dtype = DType::kFloat32) {
        return Variable(context.backend.zeros(shape, dtype), false);
    }
    ops::BatchNorm batch_norm(int64_t gamma, int64_t beta, int64_t mean, int64_t variance) {
        return {of({gamma}), of({beta}), {of({mean}), of({variance})}, 1e-3f, true};
    }

    Context context;
};

struct Misuse {
    const char* name;
    std::function<void(Operands&)> call;
    const char* op;
    std::vector<const char*> values;
};

void call_conv(Operands& o, const Shape& x, const Shape& w, const ops::ConvOptions& options = {}) {
    ops::conv(o.context, o.of(x), o.of(w), options);
}

void call_batch_norm_conv(Operands& o, const ops::BatchNorm& batch_norm) {
    ops::conv(o.context, o.of({2, 4, 4, 3}), o.of({5, 3, 3, 3}), {.batch_norm = &batch_norm});
}

const Misuse kMisuses[] = {
    {"x with 3 axes",
     [](Operands& o) {
         call_conv(o, {4, 4, 3}, {5, 3, 3, 3});
     },
     "[conv]",
     {"x must", "[4, 4, 3]"}},
    {"weight with 2 axes",
     [](Operands& o) {
         call_conv(o, {2, 4, 4, 3}, {5, 3});
     },
     "[conv]",
     {"weight must", "[5, 3]"}},
    {"channels that differ",
     [](Operands& o) {
         call_conv(o, {2, 4, 4, 7}, {5, 3, 3, 6});
     },
     "[conv]",
     {"takes 6 channels", "has 7"}},
    {"non-square kernel",
     [](Operands& o) {
         call_conv(o, {2, 4, 4, 3}, {5, 3, 1, 3});
     },
     "[conv]",
     {"[5, 3, 1, 3]"}},
    {"even kernel",
     [](Operands& o) {
         call_conv(o, {2, 4, 4, 3}, {5, 2, 2, 3});
     },
     "[conv]",
     {"[5, 2, 2, 3]", "odd"}},
    {"an output of more than 31 bits",
     [](Operands&) {
         ops::conv_params({32768, 32, 32, 16}, {64, 3, 3, 16}, 1, ops::Padding::kSame);
     },
     "[conv]",
     {"[32768, 32, 32, 64]", "2147483648", "smaller batch"}},
    {"stride 0",
     [](Operands& o) {
         call_conv(o, {2, 4, 4, 3}, {5, 3, 3, 3}, {.stride = 0});
     },
     "[conv]",
     {"stride", "0"}},
    {"no image",
     [](Operands& o) {
         call_conv(o, {0, 4, 4, 3}, {5, 3, 3, 3});
     },
     "[conv]",
     {"[0, 4, 4, 3]", "empty"}},
    {"weight of another type",
     [](Operands& o) {
         ops::conv(o.context, o.of({2, 4, 4, 3}), o.of({5, 3, 3, 3}, DType::kBFloat16), {});
     },
     "[conv]",
     {"weight must be float32", "bfloat16"}},
    {"residual of another shape",
     [](Operands& o) {
         call_conv(o, {2, 4, 4, 3}, {5, 3, 3, 3}, {.stride = 2, .residual = o.of({2, 4, 4, 5})});
     },
     "[conv]",
     {"residual", "[2, 2, 2, 5]", "[2, 4, 4, 5]"}},
    {"residual of another type",
     [](Operands& o) {
         call_conv(o, {2, 4, 4, 3}, {5, 3, 3, 3}, {.residual = o.of({2, 4, 4, 5}, DType::kBFloat16)});
     },
     "[conv]",
     {"residual must be float32", "bfloat16"}},
    {"conv, gamma",
     [](Operands& o) { call_batch_norm_conv(o, o.batch_norm(7, 3, 3, 3)); },
     "[conv]",
     {"gamma", "[3]", "[7]"}},
    {"conv, beta",
     [](Operands& o) { call_batch_norm_conv(o, o.batch_norm(3, 7, 3, 3)); },
     "[conv]",
     {"beta", "[3]", "[7]"}},
    {"conv, mean",
     [](Operands& o) { call_batch_norm_conv(o, o.batch_norm(3, 3, 7, 3)); },
     "[conv]",
     {"mean", "[3]", "[7]"}},
    {"conv, variance",
     [](Operands& o) { call_batch_norm_conv(o, o.batch_norm(3, 3, 3, 7)); },
     "[conv]",
     {"variance", "[3]", "[7]"}},
    {"batch norm, gamma",
     [](Operands& o) {
         ops::batch_norm(o.context, o.of({2, 3}), o.batch_norm(7, 3, 3, 3));
     },
     "[batch_norm]",
     {"gamma", "[3]", "[7]"}},
    {"batch norm of a vector",
     [](Operands& o) { ops::batch_norm(o.context, o.of({3}), o.batch_norm(3, 3, 3, 3)); },
     "[batch_norm]",
     {"at least 2 axes", "[3]"}},
    {"batch norm, residual",
     [](Operands& o) {
         ops::batch_norm(o.context, o.of({2, 3}), o.batch_norm(3, 3, 3, 3), o.of({3, 2}));
     },
     "[batch_norm]",
     {"residual", "[2, 3]", "[3, 2]"}},
    {"batch norm, residual of another type",
     [](Operands& o) {
         ops::batch_norm(o.context, o.of({2, 3}), o.batch_norm(3, 3, 3, 3), o.of({2, 3}, DType::kBFloat16));
     },
     "[batch_norm]",
     {"residual must be float32", "bfloat16"}},
    {"shortcut of a matrix",
     [](Operands& o) {
         ops::shortcut(o.context, o.of({4, 3}), ShortcutKind::kSubsample, 6);
     },
     "[shortcut]",
     {"[4, 3]"}},
    {"average pool of a single row",
     [](Operands& o) {
         ops::shortcut(o.context, o.of({2, 1, 5, 3}), ShortcutKind::kAveragePool, 6);
     },
     "[shortcut]",
     {"[2, 1, 5, 3]", "too small"}},
    {"fewer channels",
     [](Operands& o) {
         ops::shortcut(o.context, o.of({2, 4, 4, 9}), ShortcutKind::kSubsample, 8);
     },
     "[shortcut]",
     {"[2, 4, 4, 9]", "8 output channels"}},
    {"pool of a matrix",
     [](Operands& o) {
         ops::global_average_pool(o.context, o.of({4, 3}));
     },
     "[global_average_pool]",
     {"[4, 3]"}},
    {"pool of no pixels",
     [](Operands& o) {
         ops::global_average_pool(o.context, o.of({4, 0, 2, 3}));
     },
     "[global_average_pool]",
     {"[4, 0, 2, 3]", "empty"}},
    {"sum of two shapes",
     [](Operands& o) {
         ops::add(o.context, o.of({4, 3}), o.of({3, 4}));
     },
     "[add]",
     {"[4, 3]", "[3, 4]"}},
    {"sum of two types",
     [](Operands& o) { ops::add(o.context, o.of({3}, DType::kBFloat16), o.of({3})); },
     "[add]",
     {"bfloat16", "float32"}},
    {"linear of images",
     [](Operands& o) {
         ops::linear(o.context, o.of({2, 4, 4, 3}), o.of({5, 3}), o.of({5}));
     },
     "[linear]",
     {"x must", "[2, 4, 4, 3]"}},
    {"linear by a vector",
     [](Operands& o) {
         ops::linear(o.context, o.of({2, 3}), o.of({3}), o.of({5}));
     },
     "[linear]",
     {"weight must", "[3]"}},
    {"features that differ",
     [](Operands& o) {
         ops::linear(o.context, o.of({2, 4}), o.of({5, 3}), o.of({5}));
     },
     "[linear]",
     {"takes 3 features", "has 4"}},
    {"bias of another size",
     [](Operands& o) {
         ops::linear(o.context, o.of({2, 3}), o.of({5, 3}), o.of({3}));
     },
     "[linear]",
     {"bias", "[5]", "[3]"}},
    {"linear in bfloat16",
     [](Operands& o) {
         ops::linear(o.context, o.of({2, 3}, DType::kBFloat16), o.of({5, 3}), o.of({5}));
     },
     "[linear]",
     {"x must be float32", "bfloat16"}},
    {"linear by bfloat16",
     [](Operands& o) {
         ops::linear(o.context, o.of({2, 3}), o.of({5, 3}, DType::kBFloat16), o.of({5}));
     },
     "[linear]",
     {"weight must be float32", "bfloat16"}},
    {"logits of a batch of images",
     [](Operands& o) {
         ops::softmax_cross_entropy(o.context, o.of({2, 4, 3}), o.of({2}, DType::kInt32).value());
     },
     "[softmax_cross_entropy]",
     {"[2, 4, 3]"}},
    {"logits in bfloat16",
     [](Operands& o) {
         ops::softmax_cross_entropy(o.context, o.of({2, 3}, DType::kBFloat16), o.of({2}, DType::kInt32).value());
     },
     "[softmax_cross_entropy]",
     {"logits must be float32", "bfloat16"}},
    {"too many labels",
     [](Operands& o) {
         ops::softmax_cross_entropy(o.context, o.of({2, 3}), o.of({5}, DType::kInt32).value());
     },
     "[softmax_cross_entropy]",
     {"labels", "[2]", "[5]"}},
    {"labels that are floats",
     [](Operands& o) {
         ops::softmax_cross_entropy(o.context, o.of({2, 3}), o.of({2}).value());
     },
     "[softmax_cross_entropy]",
     {"labels must be int32", "float32"}},
};

}  // namespace

TEST_CASE("the message for operands that do not match names the operation and the value", "[ops]") {
    const auto backend = make_cpu_backend();
    for (const Misuse& misuse : kMisuses) {
        INFO(misuse.name);
        Operands operands(*backend);
        std::string message;
        try {
            misuse.call(operands);
        } catch (const Error& error) {
            message = error.what();
        }
        CHECK_THAT(message, ContainsSubstring(misuse.op));
        for (const char* value : misuse.values) CHECK_THAT(message, ContainsSubstring(value));
    }
}

TEST_CASE("want_p without a batch norm fails an assertion", "[ops]") {
    const auto backend = make_cpu_backend();
    Operands o(*backend);
    CHECK_THROWS_AS(call_conv(o, {1, 2, 2, 3}, {5, 3, 3, 3}, {.want_p = true}), AssertionError);
}

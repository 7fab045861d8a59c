// Fused BN-ReLU-conv with every kind of shortcut, compared with composed operations.
#include "engine/ops/classifier.h"
#include "engine/ops/pool.h"
#include "tests/ops/fused_and_composed.h"

using namespace residual;
using namespace test;

namespace {

struct UnitCase {
    const char* name;
    int height, width, in, out, stride;
    ops::Padding padding;
    std::optional<ShortcutKind> shortcut;
};

const UnitCase kUnits[] = {
    {"equal sizes", 5, 6, 4, 4, 1, ops::Padding::kSame, {}},
    {"equal sizes, symmetric", 4, 7, 4, 4, 1, ops::Padding::kSymmetric, {}},
    {"average pool", 6, 8, 4, 8, 2, ops::Padding::kSame, ShortcutKind::kAveragePool},
    {"average pool, symmetric", 8, 4, 4, 8, 2, ops::Padding::kSymmetric, ShortcutKind::kAveragePool},
    {"average pool, twice an odd number of channels", 4, 6, 3, 6, 2, ops::Padding::kSame, ShortcutKind::kAveragePool},
    {"average pool that does not double the channels", 6, 4, 4, 10, 2, ops::Padding::kSame, ShortcutKind::kAveragePool},
    {"subsample", 6, 8, 4, 8, 2, ops::Padding::kSame, ShortcutKind::kSubsample},
    {"subsample of an odd size, symmetric", 7, 5, 4, 8, 2, ops::Padding::kSymmetric, ShortcutKind::kSubsample},
};

// p = relu(batch_norm(x)); y = conv(relu(batch_norm(conv(p)))) + shortcut, and a BN-ReLU-conv of y.
void build_unit(Piece& piece, const UnitCase& c, bool from_p) {
    Context& context = piece.context();
    const Variable x = piece.activation("x", {3, c.height, c.width, c.in});
    const auto first = piece.bn_relu_conv("first", x, ops::batch_stats(context, x), c.out,
                                          {.stride = c.stride, .padding = c.padding, .want_p = from_p});
    const auto second =
        piece.bn_relu_conv("second", first.y, first.stats, c.out,
                           {.padding = c.padding, .residual = from_p ? first.p : x, .shortcut = c.shortcut});
    piece.backward({second.y, piece.bn_relu_conv("next", second.y, second.stats, 3).y});
}

}  // namespace

TEST_CASE("a fused unit equals a composed one with every shortcut", "[ops][fused]") {
    for (const UnitCase& c : kUnits) {
        for (const bool from_p : {false, true}) {
            INFO(c.name << ", shortcut from " << (from_p ? "p" : "x"));
            check_fused_equals_composed([&](Piece& piece) { build_unit(piece, c, from_p); });
        }
    }
}

TEST_CASE("a shortcut inside the convolution equals a separate one before it", "[ops][fused]") {
    for (const UnitCase& c : kUnits) {
        if (!c.shortcut) continue;
        for (const bool fused : {false, true}) {
            INFO(c.name << ", fused " << fused);
            const auto run = [&](bool inside) {
                const auto backend = poisoned(fused ? make_reference_fused_backend() : make_cpu_backend());
                Piece piece(*backend, DType::kFloat32);
                Context& context = piece.context();
                const Variable wide = piece.activation("wide", {2, c.height, c.width, c.in});
                const Variable narrow = ops::shortcut(context, wide, *c.shortcut, c.out);
                const Variable x = piece.activation("x", narrow.shape());
                ops::ConvOptions options{.residual = inside ? wide : narrow};
                if (inside) options.shortcut = c.shortcut;
                piece.backward({piece.bn_relu_conv("conv", x, ops::batch_stats(context, x), c.out, options).y});
                return piece.results();
            };
            const auto inside = run(true), before = run(false);
            REQUIRE(inside.size() == before.size());
            for (size_t i = 0; i < inside.size(); ++i) {
                INFO(inside[i].first);
                CHECK(relative_error(inside[i].second, before[i].second) <= tolerance(DType::kFloat32));
            }
        }
    }
}

TEST_CASE("an average pool that drops a row or column is not fused", "[ops][fused]") {
    for (const auto& [height, width] : {std::pair{7, 6}, {6, 5}, {7, 5}}) {
        INFO(height << " x " << width);
        check_fused_equals_composed([height = height, width = width](Piece& piece) {
            const Variable x = piece.activation("x", {2, height / 2, width / 2, 8});
            const Variable wide = piece.activation("wide", {2, height, width, 4});
            piece.backward({piece
                                .bn_relu_conv("conv", x, ops::batch_stats(piece.context(), x), 8,
                                              {.residual = wide, .shortcut = ShortcutKind::kAveragePool})
                                .y});
        });
    }
}

TEST_CASE("a residual that requires no gradient receives none", "[ops][fused]") {
    for (const bool pools : {false, true}) {
        INFO("pooled " << pools);
        check_fused_equals_composed([pools](Piece& piece) {
            const Variable x = piece.activation("x", {2, 4, 3, 8});
            const Shape shape = pools ? Shape{2, 8, 6, 4} : x.shape();
            const Variable residual(upload(piece.backend(), Random("residual").uniform(shape), DType::kFloat32), false);
            ops::ConvOptions options{.residual = residual};
            if (pools) options.shortcut = ShortcutKind::kAveragePool;
            const auto first = piece.bn_relu_conv("conv", x, ops::batch_stats(piece.context(), x), 8, options);
            piece.backward({piece.bn_relu_conv("next", first.y, first.stats, 3).y});
            CHECK_FALSE(residual.has_grad());
        });
    }
}

TEST_CASE("in evaluation a fused unit and classifier use the running statistics and do not update them",
          "[ops][fused]") {
    const auto run = [](std::unique_ptr<Backend> device) {
        const auto backend = poisoned(std::move(device));
        Random random("evaluation");
        const auto on_device = [&](const Shape& shape, double low, double high) {
            return upload(*backend, rounded(random.uniform(shape, low, high), DType::kFloat32), DType::kFloat32);
        };
        const auto trainable = [&](const Shape& shape) { return Variable(on_device(shape, -1, 1), true); };
        const ops::BatchNorm batch_norm{
            trainable({8}),
            trainable({8}),
            {Variable(on_device({8}, -1, 1), false), Variable(on_device({8}, 0.5, 2), false)},
            1e-3f,
            true};
        Context context{*backend};
        const Variable x = trainable({2, 5, 4, 8});
        const auto y = ops::conv(context, x, trainable({8, 3, 3, 8}), {.batch_norm = &batch_norm, .residual = x});
        CHECK_FALSE(y.stats.defined());
        const Variable logits = ops::classifier(context, y.y, batch_norm, trainable({10, 8}), trainable({10}));
        CHECK_FALSE(logits.requires_grad());
        return std::vector{download(*backend, y.y.value()), download(*backend, logits.value()),
                           download(*backend, batch_norm.moments.mean.value()),
                           download(*backend, batch_norm.moments.variance.value())};
    };
    const auto fused = run(make_reference_fused_backend()), composed = run(make_cpu_backend());
    for (size_t i = 0; i < fused.size(); ++i) CHECK(relative_error(fused[i], composed[i]) <= 1e-5);
}

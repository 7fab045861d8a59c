// The gradient through batch statistics where norms leave it to whoever produced the tensor: every kind of producer and
// of reader, alone and together.
#include "engine/ops/classifier.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/pool.h"
#include "tests/ops/fused_and_composed.h"

using namespace engine;
using namespace test;

namespace {

const Shape kPicture{3, 6, 5, 4};

// Where the second of two half units is fused, and its input comes from a composed one.
FusedSelection only_to(int channels) {
    FusedSelection selection;
    selection.half_unit = [channels](const Conv2dParams& conv) { return conv.out_channels == channels; };
    return selection;
}

}  // namespace

TEST_CASE("a half unit adds the part that the next one left to it", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kPicture);
        const auto first = piece.half("first", x, ops::batch_stats(piece.context(), x), 5);
        const auto second = piece.half("second", first.y, first.stats, 3);
        piece.end({second.y, piece.half("third", second.y, second.stats, 7).y});
    });
}

TEST_CASE("a composed producer finds the part settled", "[ops][fused]") {
    const auto two_halves = [](Piece& piece) {
        const Variable x = piece.activation("x", kPicture);
        const auto first = piece.half("first", x, ops::batch_stats(piece.context(), x), 5);
        piece.end({piece.half("second", first.y, first.stats, 3).y});
    };
    check_fused_equals_composed(two_halves, only_to(3));
    check_fused_equals_composed(two_halves, only_to(5));
}

TEST_CASE("the stem adds the part that the first half unit left to it", "[ops][fused]") {
    const auto network = [](Piece& piece) {
        const Shape pictures{2, 7, 6, 3};
        const Variable x(upload(piece.backend(), Random("pictures").uniform(pictures), DType::kFloat32), false);
        const auto stem = ops::conv(piece.context(), x, piece.weight("stem", 4, 3), {.want_stats = true});
        piece.end({piece.half("half", stem.y, stem.stats, 5).y});
    };
    check_fused_equals_composed(network);
    FusedSelection composed_stem;
    composed_stem.stem = false;
    check_fused_equals_composed(network, composed_stem);
}

TEST_CASE("the classifier leaves a part to the last half unit", "[ops][fused]") {
    const auto network = [](Piece& piece) {
        const Variable x = piece.activation("x", kPicture);
        const auto last = piece.half("last", x, ops::batch_stats(piece.context(), x), 8);
        piece.end({ops::classifier(piece.context(), last.y, piece.norm("norm", last.stats),
                                   piece.parameter("head.weight", {10, 8}, -1, 1),
                                   piece.parameter("head.bias", {10}, -1, 1))});
    };
    check_fused_equals_composed(network);
    FusedSelection composed_half;
    composed_half.half_unit = [](const auto&) { return false; };
    check_fused_equals_composed(network, composed_half);
}

TEST_CASE("two norms that read one tensor leave two parts", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kPicture);
        const auto first = piece.half("first", x, ops::batch_stats(piece.context(), x), 5);
        const Variable a = piece.half("a", first.y, first.stats, 3).y;
        const Variable b = piece.half("b", first.y, first.stats, 4).y;
        const Variable c = ops::norm(piece.context(), first.y, piece.norm("c", first.stats));
        piece.end({a, b, c, piece.half("d", first.y, first.stats, 3).y});
    });
}

TEST_CASE("what reads a normalised tensor beside its norm adds to the gradient, before and after it", "[ops][fused]") {
    for (const bool first : {false, true}) {
        INFO("read before the norm " << first);
        check_fused_equals_composed([first](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kPicture), other = piece.activation("other", kPicture);
            const auto made = piece.half("made", x, ops::batch_stats(context, x), 4);
            std::vector<Variable> outputs;
            const auto read = [&] {
                const Variable sum = ops::add(context, made.y, other);
                outputs.insert(outputs.end(), {ops::relu(context, made.y), sum, ops::relu(context, sum)});
            };
            if (first) read();
            outputs.push_back(piece.half("half", made.y, made.stats, 3).y);
            if (!first) read();
            piece.end(outputs);
        });
    }
}

TEST_CASE("operations that take no part find it settled", "[ops][fused]") {
    const auto check = [](const char* name, const std::function<Variable(Context&, const Variable&, Piece&)>& op) {
        INFO(name);
        check_fused_equals_composed([&](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kPicture);
            const Variable made = op(context, x, piece);
            const auto half = piece.half("half", made, ops::batch_stats(context, made), 3);
            piece.end({half.y});
        });
    };
    check("relu", [](Context& context, const Variable& x, Piece&) { return ops::relu(context, x); });
    check("add", [](Context& context, const Variable& x, Piece&) { return ops::add(context, x, x); });
    check("add of another", [](Context& context, const Variable& x, Piece& piece) {
        return ops::add(context, x, piece.activation("other", kPicture));
    });
    check("shortcut", [](Context& context, const Variable& x, Piece&) {
        return ops::shortcut(context, x, ShortcutKind::kAveragePool, 6);
    });
    check("convolution without norm", [](Context& context, const Variable& x, Piece& piece) {
        return ops::conv(context, x, piece.weight("weight", 5, 4), {}).y;
    });
    check("norm", [](Context& context, const Variable& x, Piece& piece) {
        return ops::norm(context, x, piece.norm("norm", ops::batch_stats(context, x)));
    });
}

TEST_CASE("the normalised input that a half unit returns may be normalised again", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kPicture);
        const auto first = piece.half("first", x, ops::batch_stats(piece.context(), x), 5, {.want_p = true});
        piece.end({first.y, piece.half("second", first.p, ops::batch_stats(piece.context(), first.p), 3).y});
    });
}

TEST_CASE("a gradient that two tensors share is not changed by a part of one of them", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        Context& context = piece.context();
        const Variable a = piece.activation("a", kPicture), b = piece.activation("b", kPicture);
        // The gradient of `sum` is that of `a` and `b` at once; `a` then receives a part.
        const auto half = piece.half("half", a, ops::batch_stats(context, a), 4);
        piece.end({ops::add(context, a, b), half.y});
    });
}

TEST_CASE("norm parameters that are used twice in a step are refused", "[ops][fused]") {
    const auto backend = make_reference_fused_backend();
    Piece piece(*backend, DType::kFloat32);
    const Variable x = piece.activation("x", kPicture);
    const auto norm = piece.norm("norm", ops::batch_stats(piece.context(), x));
    const auto once = ops::conv(piece.context(), x, piece.weight("once", 3, 4), {.norm = &norm});
    const auto again = ops::conv(piece.context(), x, piece.weight("again", 3, 4), {.norm = &norm});
    CHECK_THROWS_WITH(piece.end({once.y, again.y}), ContainsSubstring("used twice") && ContainsSubstring("[norm]"));
}

TEST_CASE("norm parameters that a fused and a composed operation use in one step are refused", "[ops][fused]") {
    const auto backend = make_reference_fused_backend();
    Piece piece(*backend, DType::kFloat32);
    const Variable x = piece.activation("x", kPicture);
    const auto norm = piece.norm("norm", ops::batch_stats(piece.context(), x));
    const Variable composed = ops::norm(piece.context(), x, norm);
    const auto fused = ops::conv(piece.context(), x, piece.weight("fused", 3, 4), {.norm = &norm});
    CHECK_THROWS_WITH(piece.end({composed, fused.y}), ContainsSubstring("used twice"));
}

TEST_CASE("a gradient with an outstanding part cannot be read by mistake", "[ops][fused]") {
    const auto backend = make_reference_fused_backend();
    Piece piece(*backend, DType::kFloat32);
    const Variable x = piece.activation("x", kPicture);
    piece.end({piece.half("half", x, ops::batch_stats(piece.context(), x), 3).y});
    REQUIRE(x.stats_gradient().has_value());
    CHECK_THROWS_AS(x.grad(), AssertionError);
    x.settle(*backend);
    CHECK_FALSE(x.stats_gradient().has_value());
    CHECK(x.grad().shape() == kPicture);
}

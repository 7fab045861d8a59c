// The gradients of moments, which fused operations contribute and every kind of operation that makes a tensor takes:
// alone and together, against the composed form, where the normalising operation returns the whole gradient.
#include <algorithm>

#include "engine/ops/classifier.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/pool.h"
#include "tests/ops/fused_and_composed.h"

using namespace residual;
using namespace test;

namespace {

const Shape kImage{3, 6, 5, 4};

// Fused only where the convolution has this many output channels.
FusedSelection only_to(int channels) {
    FusedSelection selection;
    selection.bn_relu_conv = [channels](const Conv2dParams& conv) { return conv.out_channels == channels; };
    return selection;
}

}  // namespace

TEST_CASE("a fused convolution adds what the moments' gradients of the next one bring", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto first = piece.half("first", x, ops::batch_stats(piece.context(), x), 5);
        const auto second = piece.half("second", first.y, first.stats, 3);
        piece.end({second.y, piece.half("third", second.y, second.stats, 7).y});
    });
}

TEST_CASE("fused and composed convolutions take each other's gradients", "[ops][fused]") {
    const auto two_halves = [](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto first = piece.half("first", x, ops::batch_stats(piece.context(), x), 5);
        piece.end({piece.half("second", first.y, first.stats, 3).y});
    };
    check_fused_equals_composed(two_halves, only_to(3));
    check_fused_equals_composed(two_halves, only_to(5));
}

TEST_CASE("the stem takes the gradients of its moments", "[ops][fused]") {
    const auto network = [](Piece& piece) {
        const Shape images{2, 7, 6, 3};
        const Variable x(upload(piece.backend(), Random("images").uniform(images), DType::kFloat32), false);
        const auto stem = ops::conv(piece.context(), x, piece.weight("stem", 4, 3), {.want_stats = true});
        piece.end({piece.half("half", stem.y, stem.stats, 5).y});
    };
    check_fused_equals_composed(network);
    FusedSelection composed_stem;
    composed_stem.stem = false;
    check_fused_equals_composed(network, composed_stem);
}

TEST_CASE("the classifier contributes to the moments of the last convolution", "[ops][fused]") {
    const auto network = [](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto last = piece.half("last", x, ops::batch_stats(piece.context(), x), 8);
        piece.end({ops::classifier(piece.context(), last.y, piece.batch_norm("norm", last.stats),
                                   piece.parameter("head.weight", {10, 8}, -1, 1),
                                   piece.parameter("head.bias", {10}, -1, 1))});
    };
    check_fused_equals_composed(network);
    FusedSelection composed_half;
    composed_half.bn_relu_conv = [](const auto&) { return false; };
    check_fused_equals_composed(network, composed_half);
}

TEST_CASE("one tensor is normalised by several layers", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto first = piece.half("first", x, ops::batch_stats(piece.context(), x), 5);
        const Variable a = piece.half("a", first.y, first.stats, 3).y;
        const Variable b = piece.half("b", first.y, first.stats, 4).y;
        const Variable c = ops::batch_norm(piece.context(), first.y, piece.batch_norm("c", first.stats));
        piece.end({a, b, c, piece.half("d", first.y, first.stats, 3).y});
    });
}

TEST_CASE("what reads a normalised tensor beside its batch norm adds to the gradient, before and after it",
          "[ops][fused]") {
    for (const bool first : {false, true}) {
        INFO("read before the batch norm " << first);
        check_fused_equals_composed([first](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kImage), other = piece.activation("other", kImage);
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

TEST_CASE("operations without moments of their own feed batch_stats", "[ops][fused]") {
    const auto check = [](const char* name, const std::function<Variable(Context&, const Variable&, Piece&)>& op) {
        INFO(name);
        check_fused_equals_composed([&](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kImage);
            const Variable made = op(context, x, piece);
            const auto half = piece.half("half", made, ops::batch_stats(context, made), 3);
            piece.end({half.y});
        });
    };
    check("relu", [](Context& context, const Variable& x, Piece&) { return ops::relu(context, x); });
    check("add", [](Context& context, const Variable& x, Piece&) { return ops::add(context, x, x); });
    check("add of another", [](Context& context, const Variable& x, Piece& piece) {
        return ops::add(context, x, piece.activation("other", kImage));
    });
    check("shortcut", [](Context& context, const Variable& x, Piece&) {
        return ops::shortcut(context, x, ShortcutKind::kAveragePool, 6);
    });
    check("convolution without norm", [](Context& context, const Variable& x, Piece& piece) {
        return ops::conv(context, x, piece.weight("weight", 5, 4), {}).y;
    });
    check("norm", [](Context& context, const Variable& x, Piece& piece) {
        return ops::batch_norm(context, x, piece.batch_norm("norm", ops::batch_stats(context, x)));
    });
}

TEST_CASE("the normalised input that a convolution returns may be normalised again", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto first = piece.half("first", x, ops::batch_stats(piece.context(), x), 5, {.want_p = true});
        piece.end({first.y, piece.half("second", first.p, ops::batch_stats(piece.context(), first.p), 3).y});
    });
}

TEST_CASE("a gradient that two tensors share is not changed by the moments of one of them", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        Context& context = piece.context();
        const Variable a = piece.activation("a", kImage), b = piece.activation("b", kImage);
        // The gradient of `sum` is that of `a` and `b` at once; `a` then receives what its moments bring.
        const auto half = piece.half("half", a, ops::batch_stats(context, a), 4);
        piece.end({ops::add(context, a, b), half.y});
    });
}

TEST_CASE("one batch norm layer is applied to two tensors in one step", "[ops][fused]") {
    // By fused convolutions, by the classifier, and by a composed operation, in every order.
    const auto network = [](std::vector<int> order) {
        return [order](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kImage), z = piece.activation("z", kImage);
            ops::BatchNorm of_x = piece.batch_norm("norm", ops::batch_stats(context, x)), of_z = of_x;
            of_z.moments = ops::batch_stats(context, z);
            std::vector<Variable> outputs;
            for (const int use : order) {
                const std::string name = std::to_string(use);
                if (use == 0)
                    outputs.push_back(ops::conv(context, x, piece.weight(name, 3, 4), {.batch_norm = &of_x}).y);
                if (use == 1)
                    outputs.push_back(ops::conv(context, z, piece.weight(name, 5, 4), {.batch_norm = &of_z}).y);
                if (use == 2) outputs.push_back(ops::batch_norm(context, x, of_x));
                if (use == 3) {
                    outputs.push_back(ops::classifier(context, z, of_z, piece.parameter("head.weight", {10, 4}, -1, 1),
                                                      piece.parameter("head.bias", {10}, -1, 1)));
                }
            }
            piece.end(outputs);
        };
    };
    std::vector<int> order = {0, 1, 2, 3};
    do {
        check_fused_equals_composed(network(order));
        check_fused_equals_composed(network(order), only_to(5));
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("only the moments of a convolution, or only its normalised input, lead to the loss", "[ops][fused]") {
    for (const bool moments : {true, false}) {
        INFO((moments ? "moments" : "normalised input"));
        check_fused_equals_composed([moments](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kImage);
            const auto made = piece.half("made", x, ops::batch_stats(context, x), 4, {.want_p = true});
            piece.end(moments ? std::vector{made.stats.mean, made.stats.variance} : std::vector{made.p});
        });
    }
}

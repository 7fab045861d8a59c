// The gradients of moments. A fused operation returns them separately, and the operation that computed the moments must
// add them to its own gradient. The reference is composed operations, where batch norm returns the complete gradient.
#include <algorithm>

#include "engine/ops/classifier.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/pool.h"
#include "tests/ops/fused_and_composed.h"

using namespace residual;
using namespace test;

namespace {

const Shape kImage{3, 6, 5, 4};

// Fuses only convolutions with this many output channels.
FusedSelection only_to(int channels) {
    FusedSelection selection;
    selection.bn_relu_conv = [channels](const Conv2dParams& conv) { return conv.out_channels == channels; };
    return selection;
}

}  // namespace

TEST_CASE("a fused convolution adds the gradients of the moments that the next one normalises with", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto first = piece.bn_relu_conv("first", x, ops::batch_stats(piece.context(), x), 5);
        const auto second = piece.bn_relu_conv("second", first.y, first.stats, 3);
        piece.backward({second.y, piece.bn_relu_conv("third", second.y, second.stats, 7).y});
    });
}

TEST_CASE("fused and composed convolutions follow each other", "[ops][fused]") {
    const auto two_convolutions = [](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto first = piece.bn_relu_conv("first", x, ops::batch_stats(piece.context(), x), 5);
        piece.backward({piece.bn_relu_conv("second", first.y, first.stats, 3).y});
    };
    check_fused_equals_composed(two_convolutions, only_to(3));
    check_fused_equals_composed(two_convolutions, only_to(5));
}

TEST_CASE("the stem adds the gradients of its moments", "[ops][fused]") {
    const auto network = [](Piece& piece) {
        const Shape images{2, 7, 6, 3};
        const Variable x(upload(piece.backend(), Random("images").uniform(images), DType::kFloat32), false);
        const auto stem = ops::conv(piece.context(), x, piece.weight("stem", 4, 3), {.want_stats = true});
        piece.backward({piece.bn_relu_conv("conv", stem.y, stem.stats, 5).y});
    };
    check_fused_equals_composed(network);
    FusedSelection composed_stem;
    composed_stem.stem = false;
    check_fused_equals_composed(network, composed_stem);
}

TEST_CASE("the classifier adds to the gradients of the last convolution's moments", "[ops][fused]") {
    const auto network = [](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto last = piece.bn_relu_conv("last", x, ops::batch_stats(piece.context(), x), 8);
        piece.backward({ops::classifier(piece.context(), last.y, piece.batch_norm("norm", last.stats),
                                        piece.parameter("head.weight", {10, 8}, -1, 1),
                                        piece.parameter("head.bias", {10}, -1, 1))});
    };
    check_fused_equals_composed(network);
    FusedSelection composed_conv;
    composed_conv.bn_relu_conv = [](const auto&) { return false; };
    check_fused_equals_composed(network, composed_conv);
}

TEST_CASE("several layers normalise one tensor", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto first = piece.bn_relu_conv("first", x, ops::batch_stats(piece.context(), x), 5);
        const Variable a = piece.bn_relu_conv("a", first.y, first.stats, 3).y;
        const Variable b = piece.bn_relu_conv("b", first.y, first.stats, 4).y;
        const Variable c = ops::batch_norm(piece.context(), first.y, piece.batch_norm("c", first.stats));
        piece.backward({a, b, c, piece.bn_relu_conv("d", first.y, first.stats, 3).y});
    });
}

TEST_CASE("other consumers of a normalised tensor add to its gradient, before and after the batch norm",
          "[ops][fused]") {
    for (const bool first : {false, true}) {
        INFO("read before the batch norm " << first);
        check_fused_equals_composed([first](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kImage), other = piece.activation("other", kImage);
            const auto conv = piece.bn_relu_conv("conv", x, ops::batch_stats(context, x), 4);
            std::vector<Variable> outputs;
            const auto read = [&] {
                const Variable sum = ops::add(context, conv.y, other);
                outputs.insert(outputs.end(), {ops::relu(context, conv.y), sum, ops::relu(context, sum)});
            };
            if (first) read();
            outputs.push_back(piece.bn_relu_conv("next", conv.y, conv.stats, 3).y);
            if (!first) read();
            piece.backward(outputs);
        });
    }
}

TEST_CASE("batch_stats follows operations that do not compute moments", "[ops][fused]") {
    const auto check = [](const char* name, const std::function<Variable(Context&, const Variable&, Piece&)>& op) {
        INFO(name);
        check_fused_equals_composed([&](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kImage);
            const Variable y = op(context, x, piece);
            const auto conv = piece.bn_relu_conv("conv", y, ops::batch_stats(context, y), 3);
            piece.backward({conv.y});
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
    check("convolution without batch norm", [](Context& context, const Variable& x, Piece& piece) {
        return ops::conv(context, x, piece.weight("weight", 5, 4), {}).y;
    });
    check("batch norm", [](Context& context, const Variable& x, Piece& piece) {
        return ops::batch_norm(context, x, piece.batch_norm("norm", ops::batch_stats(context, x)));
    });
}

TEST_CASE("a layer normalises the normalised input that a convolution returns", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        const Variable x = piece.activation("x", kImage);
        const auto first = piece.bn_relu_conv("first", x, ops::batch_stats(piece.context(), x), 5, {.want_p = true});
        piece.backward(
            {first.y, piece.bn_relu_conv("second", first.p, ops::batch_stats(piece.context(), first.p), 3).y});
    });
}

TEST_CASE("the moments of a tensor do not change a gradient that it shares with another tensor", "[ops][fused]") {
    check_fused_equals_composed([](Piece& piece) {
        Context& context = piece.context();
        const Variable a = piece.activation("a", kImage), b = piece.activation("b", kImage);
        // The gradient of the sum is shared by `a` and `b`; then the moments of `a` add to its gradient.
        const auto conv = piece.bn_relu_conv("conv", a, ops::batch_stats(context, a), 4);
        piece.backward({ops::add(context, a, b), conv.y});
    });
}

TEST_CASE("one batch norm layer normalises two tensors in one step", "[ops][fused]") {
    // In fused convolutions, the classifier and a composed operation, in every order.
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
            piece.backward(outputs);
        };
    };
    std::vector<int> order = {0, 1, 2, 3};
    do {
        check_fused_equals_composed(network(order));
        check_fused_equals_composed(network(order), only_to(5));
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("the loss depends only on the moments of a convolution, or only on its normalised input", "[ops][fused]") {
    for (const bool moments : {true, false}) {
        INFO((moments ? "moments" : "normalised input"));
        check_fused_equals_composed([moments](Piece& piece) {
            Context& context = piece.context();
            const Variable x = piece.activation("x", kImage);
            const auto conv = piece.bn_relu_conv("conv", x, ops::batch_stats(context, x), 4, {.want_p = true});
            piece.backward(moments ? std::vector{conv.stats.mean, conv.stats.variance} : std::vector{conv.p});
        });
    }
}

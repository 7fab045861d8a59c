// Diagrams: completeness, costs, and units that are drawn once.
#include "tools/diagram/diagram.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "engine/nn/trace.h"
#include "tests/catch.h"
#include "tests/support/branches.h"
#include "tests/support/session.h"
#include "tools/diagram/cost.h"
#include "tools/diagram/node_label.h"
#include "tools/diagram/repeated_units.h"

using namespace residual;
using namespace test;

namespace {

using tools::Graph;

template <class Network>
Graph graph_of(const Shape& image) {
    const auto backend = make_cpu_backend();
    nn::Parameters parameters;
    const Network network(parameters);
    parameters.allocate(*backend, DType::kFloat32, 1);
    const Tensor images = backend->zeros({1, image[0], image[1], image[2]}, DType::kFloat32);
    return tools::primitive_graph(nn::trace_forward(*backend, network, parameters, images, false));
}

Graph graph_of(const models::ModelConfig& model) {
    tools::Session session(tools::on_cpu({.model = model}));
    return tools::primitive_graph(session.trace(false));
}

tools::Cost whole_cost(const Graph& graph) {
    std::vector<size_t> all(graph.operations.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return tools::cost_of(graph, all);
}

int count(const std::string& text, const std::string& part) {
    int found = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

// Two equal units in a row. The first result has another reader.
class ReadTwice final : public nn::Module {
  public:
    explicit ReadTwice(nn::Parameters& parameters)
        : first_(parameters, "stack.0.conv", 3, 3, 3, 1, ops::Padding::kSame),
          second_(parameters, "stack.1.conv", 3, 3, 3, 1, ops::Padding::kSame),
          head_(parameters, "head", 3, 2) {}
    Variable forward(Context& context, const Variable& images) const override {
        const Variable a = first_.forward(context, images, {}).y;
        const Variable b = second_.forward(context, a, {}).y;
        const Variable sum = ops::add(context, ops::relu(context, a), b);
        return head_.forward(context, ops::global_average_pool(context, sum));
    }

  private:
    nn::Conv2d first_, second_;
    nn::Linear head_;
};

}  // namespace

TEST_CASE("a diagram shows every operation and every edge with its size", "[diagram]") {
    const Graph graph = graph_of<Branches>(Branches::kImage);
    const std::string text = tools::diagram(graph, "three branches", false);
    CHECK(text.find("label=\"three branches\\n") != text.npos);
    std::map<size_t, std::string> makers{{graph.input, "input"}};
    int edges = 0;
    for (size_t i = 0; i < graph.operations.size(); ++i) {
        const auto& operation = graph.operations[i];
        INFO(operation.name << " " << i);
        CHECK(count(text, fmt::format("\n    op{} [label=\"", i)) == 1);
        for (const auto& input : operation.inputs) {
            if (!graph.value(input).name.empty()) continue;
            const auto& extents = graph.value(input).shape.extents();
            const std::string size = fmt::format("[{}]", fmt::join(extents.begin() + 1, extents.end(), ", "));
            CHECK(count(text, fmt::format("\n  {} -> op{} [label=\" {}\"", makers.at(input.value), i, size)) >= 1);
            ++edges;
        }
        for (const auto& output : operation.outputs) makers[output.value] = fmt::format("op{}", i);
    }
    CHECK(count(text, "\n  op28 -> output [label=\" [5]\"]") == 1);
    CHECK(count(text, " -> ") == edges + 1);
    CHECK(count(text, "subgraph \"cluster_block\"") == 1);
    // The three convolutions of one input.
    for (const char* layer : {"same: 3×3 convolution, 4 → 8, stride 2", "wide: 5×5 convolution, 4 → 8, stride 2",
                              "point: 1×1 convolution, 4 → 8, stride 2"}) {
        CHECK(count(text, layer) >= 1);
    }
}

TEST_CASE("parameters and FLOPs of a network", "[diagram]") {
    const tools::Cost resnet20 = whole_cost(graph_of(models::ResNetConfig{.depth = 20}));
    CHECK(resnet20.parameters == 269722);
    const int64_t stage = 2359296;  // multiply-adds of a 3x3 convolution with equal sizes of input and output
    const int64_t multiply_adds = 32 * 32 * 16 * 27 + 6 * stage + 2 * (stage / 2 + 5 * stage) + 64 * 10;
    CHECK(resnet20.flops == 2 * multiply_adds);
    CHECK(resnet20.text() == "269,722 parameters, 81.1 MFLOP");
    CHECK(tools::Cost{128, 0}.text() == "128 parameters");
    CHECK(tools::Cost{650, 1280}.text("\n") == "650 parameters\n1.28 kFLOP");
    CHECK(tools::Cost{1000, 2500000000}.text() == "1,000 parameters, 2.5 GFLOP");

    // The shared weight counts once, and its multiply-adds twice.
    nn::Parameters parameters;
    const Branches network(parameters);
    int64_t declared = 0;
    for (const auto& parameter : parameters.parameters()) declared += parameter->shape.elements();
    const tools::Cost branches = whole_cost(graph_of<Branches>(Branches::kImage));
    CHECK(branches.parameters == declared);
    const int64_t stem = 49 * 4 * 27, same = 16 * 8 * 36, wide = 16 * 8 * 100, point = 16 * 8 * 4, conv = 4 * 8 * 72;
    CHECK(branches.flops == 2 * (stem + 2 * same + wide + point + conv + 8 * 5));
}

TEST_CASE("equal units in a row are drawn once on request", "[diagram]") {
    const auto rows = [](const Graph& graph) { return tools::find_repeated_units(graph, tools::units_of(graph)).rows; };
    using Rows = std::map<std::string, std::vector<std::string>>;
    // The shortcut of the first unit starts after its ReLU.
    const Graph preact = graph_of(models::ResNetConfig{.depth = 20});
    CHECK(rows(preact) == Rows{{"stages.0.1", {"stages.0.1", "stages.0.2"}},
                               {"stages.1.1", {"stages.1.1", "stages.1.2"}},
                               {"stages.2.1", {"stages.2.1", "stages.2.2"}}});
    const Graph plain = graph_of(models::ResNetConfig{.depth = 20, .shortcut = models::Shortcut::none});
    CHECK(rows(plain).at("stages.0.0").size() == 3);
    CHECK(rows(graph_of<ReadTwice>({4, 4, 3})).empty());

    const std::string folded = tools::diagram(preact, "", true);
    CHECK(count(folded, "stages.0.1 to stages.0.2\\l2 equal units of\\l4,672 parameters\\l9.44 MFLOP\\l") == 1);
    CHECK(count(folded, "cluster_stages.0.2") == 0);
    CHECK(count(folded, "op15") == 0);
    // What reads the last unit of the row comes from the one that is drawn; the sums are those of the network.
    CHECK(count(folded, "op14 -> exit1 [") == 1);
    CHECK(count(folded, "269,722 parameters, 81.1 MFLOP") == 1);
    CHECK(count(tools::diagram(preact, "", false), "cluster_stages.0.2") == 1);
}

TEST_CASE("an edge between columns is cut into two labels", "[diagram]") {
    const std::string text = tools::diagram(graph_of(models::ResNetConfig{.depth = 8}), "", false);
    CHECK(count(text, "exit1 [label=\"1: to stages.1\"") == 1);
    CHECK(count(text, "entry1 [label=\"1: from stages.0.0\"") == 1);
    // The batch norm of the unit and the pooling of its shortcut.
    CHECK(count(text, "\n  entry1 -> op") == 2);
    CHECK(count(text, "\n  entry2 -> op") == 2);
}

TEST_CASE("a diagram shows operations that it does not know by their names", "[diagram]") {
    const auto backend = make_cpu_backend();
    Trace trace;
    Context context{*backend, nullptr, false, &trace};
    const Variable x(backend->zeros({1, 4}, DType::kFloat32), false);
    trace.set_input(x);
    trace.set_output(ops::cast(context, x, DType::kBFloat16));
    const std::string text = tools::diagram(tools::primitive_graph(trace), "a \"quoted\" title", false);
    CHECK(count(text, "op0 [label=\"cast\"") == 1);
    CHECK(count(text, "input -> op0 [label=\" [4]\"]") == 1);
    CHECK(count(text, "a \\\"quoted\\\" title") == 1);
}

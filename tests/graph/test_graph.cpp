// Graphs of primitive operations, and the units that operations belong to.
#include "tools/graph/graph.h"

#include <algorithm>

#include "engine/nn/trace.h"
#include "models/residual_unit.h"
#include "tests/catch.h"
#include "tests/support/branches.h"
#include "tests/support/session.h"

using namespace residual;
using namespace test;

namespace {

using tools::Graph;
using Lines = std::vector<std::string>;

// Of the network on the CPU, with batch 1.
Graph graph_of_branches() {
    const auto backend = make_cpu_backend();
    nn::Parameters parameters;
    const Branches network(parameters);
    parameters.allocate(*backend, DType::kFloat32, 1);
    const Shape& image = Branches::kImage;
    const Tensor images = backend->zeros({1, image[0], image[1], image[2]}, DType::kFloat32);
    return tools::primitive_graph(nn::trace_forward(*backend, network, parameters, images, false));
}

Graph graph_of(const models::ModelConfig& model) {
    tools::Session session(tools::on_cpu({.model = model}));
    return tools::primitive_graph(session.trace(false));
}

// "unit | layer | operation: shape of the result", for each operation.
Lines lines_of(const Graph& graph) {
    const auto units = tools::units_of(graph);
    Lines lines;
    for (size_t i = 0; i < graph.operations.size(); ++i) {
        const auto& operation = graph.operations[i];
        lines.push_back(units[i] + " | " + tools::layer_of(graph, operation) + " | " + operation.name + ": " +
                        graph.value(operation.outputs.front()).shape.to_string());
    }
    return lines;
}

}  // namespace

TEST_CASE("a network that no configuration describes becomes primitive operations", "[graph]") {
    const Graph graph = graph_of_branches();
    CHECK(lines_of(graph) == Lines{" | stem | conv: [1, 7, 7, 4]",
                                   " | norm | batch_norm: [1, 7, 7, 4]",
                                   " |  | relu: [1, 7, 7, 4]",
                                   "block | block.same | conv: [1, 4, 4, 8]",
                                   "block | block.point | conv: [1, 4, 4, 8]",
                                   "block | block.wide | conv: [1, 4, 4, 8]",
                                   "block |  | add: [1, 4, 4, 8]",
                                   "block |  | add: [1, 4, 4, 8]",
                                   "block |  | relu: [1, 7, 7, 4]",
                                   "block | block.same | conv: [1, 4, 4, 8]",
                                   "block |  | subsample: [1, 4, 4, 4]",
                                   "block |  | zero_channels: [1, 4, 4, 8]",
                                   "block | block.norm | batch_norm: [1, 4, 4, 8]",
                                   "block |  | add: [1, 4, 4, 8]",
                                   "block |  | relu: [1, 4, 4, 8]",
                                   "block | block.norm | batch_norm: [1, 4, 4, 8]",
                                   "block |  | add: [1, 4, 4, 8]",
                                   "block |  | add: [1, 4, 4, 8]",
                                   "unit | unit.norm | batch_norm: [1, 4, 4, 8]",
                                   "unit |  | relu: [1, 4, 4, 8]",
                                   "unit | unit.conv | conv: [1, 2, 2, 8]",
                                   "unit |  | global_average_pool: [1, 8]",
                                   "unit |  | global_average_pool: [1, 8]",
                                   "unit |  | add: [1, 8]",
                                   " |  | average_pool: [1, 3, 3, 4]",
                                   " |  | zero_channels: [1, 3, 3, 8]",
                                   " |  | global_average_pool: [1, 8]",
                                   " |  | add: [1, 8]",
                                   " | head | linear: [1, 5]"});
    const auto& operations = graph.operations;
    CHECK(operations.front().input("x")->value == graph.input);
    CHECK(operations.back().output("y")->value == graph.output);
    // Every value that is read is the input, has a name, or was made before.
    std::vector<bool> made(graph.values.size());
    made[graph.input] = true;
    for (const auto& operation : operations) {
        for (const auto& input : operation.inputs) {
            CHECK((made[input.value] || !graph.value(input).name.empty()));
        }
        for (const auto& output : operation.outputs) made[output.value] = true;
    }
    // The order within y = relu(batch_norm(shared) + subsampled).
    const size_t norm = 12;
    CHECK(operations[norm].input("x")->value == operations[norm - 3].output("y")->value);
    CHECK(operations[norm + 1].input("a")->value == operations[norm].output("y")->value);
    CHECK(operations[norm + 1].input("b")->value == operations[norm - 1].output("y")->value);
    CHECK(operations[norm + 2].input("x")->value == operations[norm + 1].output("y")->value);
}

TEST_CASE("the operations of a residual unit without parameters belong to it", "[graph]") {
    const auto is_in = [](const Lines& lines, const std::string& line) { return std::ranges::count(lines, line); };
    const Lines preact = lines_of(graph_of(models::ResNetConfig{.depth = 8}));
    CHECK(is_in(preact, "stages.1.0 |  | average_pool: [1, 16, 16, 16]") == 1);
    CHECK(is_in(preact, "stages.1.0 |  | zero_channels: [1, 16, 16, 32]") == 1);
    CHECK(is_in(preact, "stages.2.0 |  | add: [1, 8, 8, 64]") == 1);
    CHECK(is_in(preact, " |  | relu: [1, 8, 8, 64]") == 1);
    CHECK(is_in(preact, " |  | global_average_pool: [1, 64]") == 1);

    const Lines postact = lines_of(graph_of(models::ResNetConfig{
        .depth = 8, .block = models::Block::postact, .shortcut = models::Shortcut::subsample_zeropad}));
    CHECK(is_in(postact, " |  | relu: [1, 32, 32, 16]") == 1);
    CHECK(is_in(postact, "stages.1.0 |  | subsample: [1, 16, 16, 16]") == 1);
    CHECK(is_in(postact, "stages.2.0 |  | relu: [1, 8, 8, 64]") == 2);
    CHECK(is_in(postact, " |  | global_average_pool: [1, 64]") == 1);
}

TEST_CASE("an operation that is not known stays as it is", "[graph]") {
    const auto backend = make_cpu_backend();
    Trace trace;
    Context context{*backend, nullptr, false, &trace};
    const Variable x(backend->zeros({1, 4}, DType::kFloat32), false);
    trace.set_input(x);
    trace.set_output(ops::cast(context, x, DType::kBFloat16));
    const Graph graph = tools::primitive_graph(trace);
    REQUIRE(graph.operations.size() == 1);
    CHECK(graph.operations.front().name == "cast");
}

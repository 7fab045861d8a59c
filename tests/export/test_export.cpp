// Networks as ONNX models, run by ONNX Runtime (compare.py).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <span>

#include "engine/io/atomic_file.h"
#include "engine/io/safetensors.h"
#include "engine/nn/trace.h"
#include "tests/catch.h"
#include "tests/support/branches.h"
#include "tests/support/source_dir.h"
#include "tools/export/onnx_model.h"

using namespace residual;
using namespace test;

namespace {

using tools::Graph;
using tools::Weights;

struct Traced {
    std::unique_ptr<Backend> backend = make_cpu_backend();
    nn::Parameters parameters;
    Branches network{parameters};
    Graph graph;
    Weights weights;

    Traced() {
        parameters.allocate(*backend, DType::kFloat32, 1);
        randomise(*backend, parameters);
        const Shape& image = Branches::kImage;
        const Tensor images = backend->zeros({1, image[0], image[1], image[2]}, DType::kFloat32);
        graph = tools::primitive_graph(nn::trace_forward(*backend, network, parameters, images, false));
        weights = tools::weights_of(graph, *backend, parameters);
    }
};

std::vector<float> random_mean() {
    const Array mean = Random("mean").uniform(Branches::kImage, 100, 150);
    return {mean.values.begin(), mean.values.end()};
}

tools::OnnxDescription description() {
    return {"three branches", {"a", "b", "c", "d", "e"}, random_mean()};
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
    write_file_atomically(path, std::as_bytes(std::span(bytes)));
}

int count(const Graph& graph, const std::string& name) {
    return static_cast<int>(std::ranges::count(graph.operations, name, &Trace::Operation::name));
}

}  // namespace

TEST_CASE("ONNX Runtime computes the logits of a network that no configuration describes", "[export]") {
    Traced traced;
    const auto folder = std::filesystem::temp_directory_path() / fmt::format("tests-export-{}", getpid());
    std::filesystem::create_directories(folder);

    constexpr int64_t kBatch = 9;
    Random random("images");
    std::vector<uint8_t> images(static_cast<size_t>(kBatch * Branches::kImage.elements()));
    for (uint8_t& byte : images) byte = static_cast<uint8_t>(random.below(256));
    const std::vector<float> mean = random_mean();
    std::vector<float> centred(images.size());
    for (size_t i = 0; i < images.size(); ++i) centred[i] = static_cast<float>(images[i]) - mean[i % mean.size()];
    const Shape& image = Branches::kImage;
    Context context{*traced.backend};
    const Variable x(traced.backend->from_host(centred.data(), {kBatch, image[0], image[1], image[2]}), false);
    const auto logits = values_of<float>(*traced.backend, traced.network.forward(context, x).value());
    const std::vector<TensorView> tensors{
        {"images", SafetensorsType::kU8, {kBatch, image[0], image[1], image[2]}, std::as_bytes(std::span(images))},
        {"logits", SafetensorsType::kF32, {kBatch, Branches::kClasses}, std::as_bytes(std::span(logits))}};
    write_safetensors(folder / "branches.safetensors", tensors);

    write_file(folder / "branches.onnx", tools::onnx_model(traced.graph, traced.weights, description()));
    tools::fold_batch_norms(traced.graph, traced.weights);
    write_file(folder / "branches.folded.onnx", tools::onnx_model(traced.graph, traced.weights, description()));
    const std::string root = test::source_dir();
    const std::string command =
        fmt::format("'{0}/build/python/bin/python' '{0}/tests/export/compare.py' '{1}'", root, folder.string());
    CHECK(std::system(command.c_str()) == 0);
    std::filesystem::remove_all(folder);
}

TEST_CASE("only batch norms that directly follow a convolution are folded", "[export]") {
    Traced traced;
    REQUIRE(count(traced.graph, "batch_norm") == 4);
    tools::fold_batch_norms(traced.graph, traced.weights);
    // Those of the stem and of the second use of the shared weight. The first use has two readers, and the batch norm
    // of the unit follows an addition.
    CHECK(count(traced.graph, "batch_norm") == 2);
    CHECK(count(traced.graph, "conv") == 6);
    int biases = 0;
    for (const auto& operation : traced.graph.operations) {
        if (operation.name == "conv" && operation.input("bias") != nullptr) ++biases;
    }
    CHECK(biases == 2);
}

TEST_CASE("the batch norm after a convolution that is the network's output stays", "[export]") {
    Traced traced;
    traced.graph.output = traced.graph.operations.front().output("y")->value;
    tools::fold_batch_norms(traced.graph, traced.weights);
    CHECK(count(traced.graph, "batch_norm") == 3);
}

TEST_CASE("an operation without a counterpart in ONNX is refused by its name", "[export]") {
    Traced traced;
    traced.graph.operations.back().name = "fourier_transform";
    CHECK_THROWS_WITH(tools::onnx_model(traced.graph, traced.weights, description()),
                      "the network has an operation 'fourier_transform', which cannot be exported: it has no "
                      "counterpart in ONNX");
}

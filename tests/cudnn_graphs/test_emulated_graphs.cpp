// docs/cudnn-graphs.json lists every graph that training and evaluation ask cuDNN for. `tests-cudnn_graphs "[.write]"`
// remakes it.
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/backend/cuda/cuda_backend.h"
#include "tests/backend/shapes.h"
#include "tests/catch.h"
#include "tests/emulator/stream.h"
#include "tests/support/source_dir.h"
#include "tests/support/training.h"
#include "tools/cudnn_plans/graph_list.h"

using namespace residual;
using models::Block;
using models::Padding;
using models::Shortcut;
using tools::ListedGraph;

namespace {

constexpr int kBatch = 2;

std::string path_of_list() {
    return test::source_dir() + "/docs/cudnn-graphs.json";
}

std::vector<models::ModelConfig> networks() {
    std::vector<models::ModelConfig> all;
    for (const int depth : {20, 32, 44, 56, 110}) all.emplace_back(models::ResNetConfig{.depth = depth});
    for (const int depth : {20, 32, 44, 56}) {
        all.emplace_back(models::ResNetConfig{.depth = depth, .shortcut = Shortcut::none});
    }
    for (const Block block : {Block::preact, Block::postact}) {
        for (const Padding padding : {Padding::same, Padding::symmetric}) {
            for (const Shortcut shortcut :
                 {Shortcut::avgpool_zeropad, Shortcut::subsample_zeropad, Shortcut::projection, Shortcut::none}) {
                all.emplace_back(
                    models::ResNetConfig{.depth = 8, .block = block, .shortcut = shortcut, .padding = padding});
            }
        }
    }
    all.emplace_back(models::WideResNetConfig{.depth = 28, .widening = 10});
    all.emplace_back(test::kWide);
    return all;
}

struct Precision {
    DType dtype;
    bool allow_tf32;
};
constexpr Precision kPrecisions[] = {{DType::kBFloat16, false}, {DType::kFloat32, false}, {DType::kFloat32, true}};

// Runs `work` on the emulated device without computing anything, and adds the graphs that it asks for.
template <class Work>
void record(std::set<ListedGraph>& graphs, Backend& backend, bool allow_tf32, Work work) {
    emulator::set_dry(true);
    work();
    emulator::set_dry(false);
    for (const cuda::GraphKey& key : dynamic_cast<CudaBackend&>(backend).graphs()) {
        // TF32 is for products only.
        graphs.insert({key, allow_tf32 && std::holds_alternative<cuda::ConvolutionGraph>(key)});
    }
}

std::vector<ListedGraph> recorded() {
    std::set<ListedGraph> graphs;
    for (const auto& [dtype, allow_tf32] : kPrecisions) {
        const CudaOptions options{.allow_tf32 = allow_tf32};
        for (const models::ModelConfig& network : networks()) {
            test::Training training(network, dtype, options, kBatch);
            record(graphs, training.backend(), allow_tf32, [&] {
                training.trainer().update();
                training.evaluate();
            });
        }
        const auto backend = make_cuda_backend(options);
        record(graphs, *backend, allow_tf32, [&] { run_shapes(*backend, dtype); });
    }
    return {graphs.begin(), graphs.end()};
}

}  // namespace

TEST_CASE("docs/cudnn-graphs.json lists the graphs of all networks and of the tests' shapes", "[cudnn_graphs]") {
    std::ifstream in(path_of_list());
    std::ostringstream text;
    text << in.rdbuf();
    const std::vector<ListedGraph> listed = tools::graphs_from_json(text.str()), found = recorded();
    CHECK(tools::graphs_to_json(listed) == text.str());
    const auto missing_from = [](const std::vector<ListedGraph>& list, const std::vector<ListedGraph>& other) {
        std::string missing;
        for (const ListedGraph& graph : other) {
            if (std::find(list.begin(), list.end(), graph) == list.end()) missing += to_string(graph.key) + "\n";
        }
        return missing;
    };
    CHECK(missing_from(listed, found) == "");
    CHECK(missing_from(found, listed) == "");
}

TEST_CASE("write docs/cudnn-graphs.json", "[.write]") {
    std::ofstream(path_of_list()) << tools::graphs_to_json(recorded());
}

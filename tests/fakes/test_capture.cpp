// The fakes on a capturing stream and in graph replays.
#include <functional>
#include <memory>

#include "tests/fakes/graph_fixture.h"

using namespace fakes;

namespace {

class Graph {
  public:
    Graph(const StreamOwner& stream, const std::function<void()>& work) : stream_(stream) {
        REQUIRE(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal) == cudaSuccess);
        work();
        cudaGraph_t graph = nullptr;
        REQUIRE(cudaStreamEndCapture(stream.get(), &graph) == cudaSuccess);
        REQUIRE(cudaGraphInstantiate(&executable_, graph, 0) == cudaSuccess);
        REQUIRE(cudaGraphDestroy(graph) == cudaSuccess);
    }
    ~Graph() { cudaGraphExecDestroy(executable_); }
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    void replay() {
        const cudaError_t error = cudaGraphLaunch(executable_, stream_.get());
        REQUIRE(error == cudaSuccess);
        stream_.wait();
    }

  private:
    const StreamOwner& stream_;
    cudaGraphExec_t executable_ = nullptr;
};

void fill(const Buffer& buffer, const std::vector<float>& values) {
    REQUIRE(cudaMemcpy(buffer.get(), values.data(), buffer.bytes(), cudaMemcpyHostToDevice) == cudaSuccess);
}

}  // namespace

TEST_CASE("a captured convolution runs at each replay on the current content of its arrays") {
    GraphFixture s;
    Graph graph(s.stream, [&] { REQUIRE(s.run() == CUDNN_STATUS_SUCCESS); });
    CHECK(std::isnan(s.y.values()[0]));
    graph.replay();
    CHECK(s.y.values()[0] == Approx(s.expected_y(0, 0, 0, 0)));
    fill(s.x, ramp(180, 2, -0.5f));
    graph.replay();
    CHECK(s.y.values()[0] == Approx(s.expected_y(0, 0, 0, 0)));
}

TEST_CASE("a replay uses the scalars and the graph of the capture") {
    GraphFixture s;
    Graph graph(s.stream, [&] { REQUIRE(s.run() == CUDNN_STATUS_SUCCESS); });
    s.plan.reset();
    s.graph.reset();
    graph.replay();
    CHECK(s.y.values()[0] == Approx(s.expected_y(0, 0, 0, 0)));
}

TEST_CASE("a replay on freed memory throws Misuse") {
    GraphFixture s;
    auto x = std::make_unique<Buffer>(ramp(180, -1, 0.25f));
    Graph graph(s.stream, [&] { REQUIRE(s.run(x->get(), s.y.get()) == CUDNN_STATUS_SUCCESS); });
    graph.replay();
    x.reset();
    CHECK_THROWS_AS(graph.replay(), Misuse);
}

TEST_CASE("a captured matrix product needs a workspace, which setting the stream resets") {
    const StreamOwner stream;
    const Buffer a({1, 2, 3, 4}), b({1, 0, 0, 1}), c({0, 0, 0, 0}), workspace(std::vector<float>(64));
    const float one = 1, zero = 0;
    cublasHandle_t cublas = nullptr;
    REQUIRE(cublasCreate(&cublas) == CUBLAS_STATUS_SUCCESS);
    const auto multiply = [&] {
        return cublasSgemm(cublas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a.get(), 2, b.get(), 2, &zero, c.get(), 2);
    };
    REQUIRE(cublasSetWorkspace(cublas, workspace.get(), workspace.bytes()) == CUBLAS_STATUS_SUCCESS);
    REQUIRE(cublasSetStream(cublas, stream.get()) == CUBLAS_STATUS_SUCCESS);
    Graph without(stream, [&] { CHECK_THROWS_AS(multiply(), Misuse); });
    REQUIRE(cublasSetWorkspace(cublas, workspace.get(), workspace.bytes()) == CUBLAS_STATUS_SUCCESS);
    Graph with(stream, [&] { REQUIRE(multiply() == CUBLAS_STATUS_SUCCESS); });
    with.replay();
    CHECK(c.values() == a.values());
    REQUIRE(cublasDestroy(cublas) == CUBLAS_STATUS_SUCCESS);
}

#include "engine/backend/cuda/recording.h"

namespace residual::cuda {

namespace {

// Captures a stream; ends the capture on every path.
class Capture {
  public:
    explicit Capture(cudaStream_t stream) : stream_(stream) {
        CUDA_CALL(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
    }
    ~Capture() {
        if (ended_) return;
        cudaGraph_t graph = nullptr;
        cudaStreamEndCapture(stream_, &graph);
        const Graph discarded(graph);
        cudaGetLastError();
    }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    Graph finish() {
        cudaGraph_t graph = nullptr;
        ended_ = true;
        CUDA_CALL(cudaStreamEndCapture(stream_, &graph));
        return Graph(graph);
    }

  private:
    cudaStream_t stream_;
    bool ended_ = false;
};

Graph captured(cudaStream_t stream, const std::function<void()>& work) {
    Capture capture(stream);
    work();
    return capture.finish();
}

}  // namespace

GraphRecording::GraphRecording(cudaStream_t stream, const std::function<void()>& work) : stream_(stream) {
    const Graph graph = captured(stream, work);
    cudaGraphExec_t executable = nullptr;
    CUDA_CALL(cudaGraphInstantiate(&executable, graph.get(), 0));
    graph_.reset(executable);
}

void GraphRecording::replay() {
    CUDA_CALL(cudaGraphLaunch(graph_.get(), stream_));
}

}  // namespace residual::cuda

// The CUDA runtime's functions for captures and graphs. A graph is the chain of operations submitted to one stream.
#include <cuda_runtime.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/emulator/failure.h"
#include "tests/emulator/last_error.h"
#include "tests/emulator/stream_state.h"

using namespace emulator;

namespace {

std::vector<std::unique_ptr<CUgraph_st>>& graphs() {
    static auto& all = *new std::vector<std::unique_ptr<CUgraph_st>>;
    return all;
}

std::vector<std::unique_ptr<CUgraphExec_st>>& executables() {
    static auto& all = *new std::vector<std::unique_ptr<CUgraphExec_st>>;
    return all;
}

template <class Handles, class Handle>
auto find(Handles& handles, Handle handle) {
    return std::find_if(handles.begin(), handles.end(), [&](const auto& other) { return other.get() == handle; });
}

}  // namespace

// The default stream cannot be captured.
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
    if (stream == nullptr) return remember(cudaErrorStreamCaptureUnsupported);
    if (!is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    if (is_capturing(stream)) return remember(cudaErrorIllegalState);
    stream->captured.emplace();
    stream->mode = mode;
    stream->valid = true;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    if (!is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    if (!is_capturing(stream)) return remember(cudaErrorIllegalState);
    *graph = nullptr;
    const std::vector<Operation> operations = std::move(*stream->captured);
    stream->captured.reset();
    if (const cudaError_t failure = requested_failure(__func__); failure != cudaSuccess) return failure;
    if (!stream->valid) return remember(cudaErrorStreamCaptureInvalidated);
    graphs().push_back(std::make_unique<CUgraph_st>());
    for (const Operation& operation : operations) graphs().back()->nodes.push_back({operation});
    *graph = graphs().back().get();
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
    if (!is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    *status = !is_capturing(stream) ? cudaStreamCaptureStatusNone
              : stream->valid       ? cudaStreamCaptureStatusActive
                                    : cudaStreamCaptureStatusInvalidated;
    return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
    if (find(graphs(), graph) == graphs().end()) return remember(cudaErrorInvalidValue);
    if (nodes != nullptr) {
        const size_t given = std::min(*count, graph->nodes.size());
        for (size_t i = 0; i < *count; ++i) nodes[i] = i < given ? &graph->nodes[i] : nullptr;
        *count = given;
    } else {
        *count = graph->nodes.size();
    }
    return cudaSuccess;
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
    if (node == nullptr) return remember(cudaErrorInvalidValue);
    switch (node->operation.kind) {
        case Kind::kMemcpy:
            *type = cudaGraphNodeTypeMemcpy;
            return cudaSuccess;
        case Kind::kMemset:
            *type = cudaGraphNodeTypeMemset;
            return cudaSuccess;
        default:
            *type = cudaGraphNodeTypeKernel;
            return cudaSuccess;
    }
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    const auto found = find(graphs(), graph);
    if (found == graphs().end()) return remember(cudaErrorInvalidValue);
    graphs().erase(found);
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
    if (const cudaError_t failure = requested_failure(__func__); failure != cudaSuccess) return failure;
    if (flags != 0) return remember(cudaErrorNotSupported);
    if (find(graphs(), graph) == graphs().end()) return remember(cudaErrorInvalidValue);
    executables().push_back(std::make_unique<CUgraphExec_st>());
    for (const CUgraphNode_st& node : graph->nodes) executables().back()->operations.push_back(node.operation);
    *executable = executables().back().get();
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    const auto found = find(executables(), executable);
    if (found == executables().end()) return remember(cudaErrorInvalidValue);
    executables().erase(found);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    if (find(executables(), executable) == executables().end()) return remember(cudaErrorInvalidValue);
    if (!is_stream(stream)) return remember(cudaErrorInvalidResourceHandle);
    if (is_capturing(stream)) {
        invalidate_capture(stream);  // CUDA would add a child graph; this project has none
        return remember(cudaErrorNotSupported);
    }
    count_graph_launch();
    for (const Operation& operation : executable->operations) perform(operation);
    return cudaSuccess;
}

// The types behind cudaStream_t, cudaGraph_t and cudaGraphExec_t. Internal to the emulator.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <optional>
#include <vector>

#include "tests/emulator/stream.h"

struct CUstream_st {
    unsigned flags = cudaStreamDefault;
    // The operations captured so far; empty unless the stream is capturing.
    std::optional<std::vector<emulator::Operation>> captured{};
    cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
    bool valid = true;
};

struct CUgraphNode_st {
    emulator::Operation operation;
};

// A chain: each node depends on the previous one.
struct CUgraph_st {
    std::vector<CUgraphNode_st> nodes;
};

struct CUgraphExec_st {
    std::vector<emulator::Operation> operations;
};

namespace emulator {

std::vector<std::unique_ptr<CUstream_st>>& streams();
void count_graph_launch();

}  // namespace emulator

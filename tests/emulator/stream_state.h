// What stands behind cudaStream_t, cudaGraph_t and cudaGraphExec_t; for the emulator's own files.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <optional>
#include <vector>

#include "tests/emulator/stream.h"

struct CUstream_st {
    unsigned flags = cudaStreamDefault;
    // While it captures: what was submitted.
    std::optional<std::vector<emulator::Operation>> captured{};
    cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
    bool valid = true;
};

struct CUgraphNode_st {
    emulator::Operation operation;
};

// A chain: each node comes after the one before.
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

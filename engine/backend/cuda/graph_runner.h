// Runs operation graphs of cuDNN. The plan for a graph is chosen when it first runs, and kept.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/backend/cuda/execution_plan.h"

namespace residual::cuda {

// A tensor's address, in host memory for a scalar.
using Operand = std::pair<Slot, void*>;

class GraphRunner {
  public:
    // Allocates workspaces from the arena of `backend`. Both must outlive this.
    GraphRunner(Backend& backend, cudnnHandle_t cudnn, cudaStream_t stream, const CudaOptions& options);

    // Queues the graph. Returns false, having queued nothing, if cuDNN has no plan for it that the options allow. Calls
    // options.log on the first run. Throws Error if the device is lost.
    //
    // On the first run, plans are tried until one starts. With options.deterministic they are tried in the order of
    // cuDNN's heuristics, which depends only on the graph, the GPU and the version of cuDNN. Without it, the fastest
    // plans of a convolution are timed on the operands, whose rounding may then differ from run to run.
    bool run(const GraphKey& key, const std::vector<Operand>& operands);

    // The graphs that were asked for.
    std::vector<GraphKey> graphs() const;

  private:
    struct Entry {
        OperationGraph graph;
        std::optional<Plan> plan;  // Empty: cuDNN has none.
    };

    std::optional<Plan> choose(const GraphKey& key, const OperationGraph& graph, const std::vector<Operand>& operands);
    // The plan of the candidate if it is allowed and starts; the graph is then queued.
    std::optional<Plan> started(const GraphKey& key, Candidate candidate, const std::vector<Operand>& operands);
    std::optional<Plan> fastest(const GraphKey& key, const OperationGraph& graph, const std::vector<Operand>& operands);
    cudnnStatus_t execute(const Plan& plan, const std::vector<Operand>& operands);
    // Throws Error if the failure means that the device cannot be used any more.
    void require_device(cudnnStatus_t status, const char* call);

    Backend& backend_;
    cudnnHandle_t cudnn_;
    cudaStream_t stream_;
    CudaOptions options_;
    std::map<GraphKey, Entry> entries_;
};

}  // namespace residual::cuda

// Choosing how cuDNN runs an operation graph: candidates from its heuristics, and the plan made from one of them.
#pragma once

#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/operation_graph.h"

namespace residual::cuda {

// Plans that need more are not used. Enough for every worthwhile plan on small images.
inline constexpr int64_t kWorkspaceLimit = int64_t{256} << 20;

// An engine of cuDNN with its settings (knobs).
struct Candidate {
    Descriptor config;
    std::string name;  // "engine 22, knobs 2=16 12=1": knob type = value, as numbered by cudnnBackendKnobType_t
    std::vector<cudnnBackendNumericalNote_t> notes;
};

// Candidates for the graph, best first: those of heuristic mode A, then the fallbacks. `device` describes the GPU
// (CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR); null: that of the graph's handle. Empty if no engine supports the graph.
std::vector<Candidate> candidates_for(const OperationGraph& graph, const Descriptor* device = nullptr);

// Whether the options allow a candidate, by what cuDNN notes about it: nondeterministic sums only if
// `deterministic` is false, sums in reduced precision never, and float32 convolutions with operands rounded to TF32
// only with `allow_tf32`.
bool is_allowed(const Candidate& candidate, const GraphKey& key, const CudaOptions& options);

// The graph must outlive its plans.
struct Plan {
    Descriptor descriptor;
    Candidate candidate;
    int64_t workspace_bytes;  // at most kWorkspaceLimit
};

// Makes a plan for a candidate, which may compile kernels. Returns cuDNN's status instead if it fails or the plan
// needs more workspace than kWorkspaceLimit (CUDNN_STATUS_NOT_SUPPORTED). Exactly one of `handle` and `device` is set.
std::variant<Plan, cudnnStatus_t> make_plan(Candidate candidate, cudnnHandle_t handle,
                                            const Descriptor* device = nullptr);

}  // namespace residual::cuda

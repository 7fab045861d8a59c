// The engines of the fake cuDNN: which run a graph, in which order the heuristics offer them, and how they differ.
#pragma once

#include <set>
#include <utility>

#include "tests/fakes/cudnn_graph.h"

namespace fakes {

// The order in which products are added; it makes the engines round differently. The sum starts `rotation` terms later
// and runs backward if `reversed`.
struct SumOrder {
    bool reversed = false;
    unsigned rotation = 0;

    int at(int i, int count) const {
        const int rotated = static_cast<int>((unsigned(i) + rotation) % unsigned(count));
        return reversed ? count - 1 - rotated : rotated;
    }
};

struct Engine {
    int64_t id;
    std::vector<cudnnBackendNumericalNote_t> notes;
    int64_t workspace_bytes;
    bool is_fallback;  // offered by the fallback heuristic, not by mode A

    bool notes_that(cudnnBackendNumericalNote_t note) const;
    // The same in each run, unless the engine is noted to be non-deterministic.
    SumOrder next_order() const;
};

// The engines that support the graph. The patterns are those for which the real library (9.19, for GPUs of compute
// capability 8.0 to 10.0) has engines: one convolution whose tensors have one type; batch norm in training, alone, with
// ReLU, or with addition and ReLU, with a number of channels that fills 16 bytes; its backward, alone or of dy times
// (y > 0); pointwise operations.
std::vector<Engine> engines_for(const OperationList& operations);

// Computes the results of a heuristic descriptor, and the workspace of a plan.
void finalize_heuristic(CudnnDescriptor& descriptor);
void finalize_plan(CudnnDescriptor& descriptor);
// The engine and the graph of a finalised plan.
std::pair<Engine, OperationList> content_of(const CudnnDescriptor& plan);

// A variant pack: pointers by unique id, and the workspace.
struct Operands {
    std::map<int64_t, void*> pointers;
    void* workspace;
};
Operands operands_of(const CudnnDescriptor& descriptor);

// During its lifetime, making a plan for these engines, or running it, fails with the status.
struct EngineFailures {
    std::set<int64_t> engines;
    bool in_plan = false;
    cudnnStatus_t status = CUDNN_STATUS_NOT_SUPPORTED;
};
class FailingEngines {
  public:
    explicit FailingEngines(EngineFailures failures);
    ~FailingEngines();
    FailingEngines(const FailingEngines&) = delete;
    FailingEngines& operator=(const FailingEngines&) = delete;
};
// Refuses if a FailingEngines says so.
void require_working(int64_t engine, bool in_plan);

}  // namespace fakes

// Recorded work as a CUDA graph (CUDA programming guide, "CUDA Graphs").
#pragma once

#include <functional>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/handles.h"

namespace residual::cuda {

class GraphRecording final : public Recording {
  public:
    // Captures the operations that `work` queues on `stream`, which must outlive this. Throws Error if an operation
    // cannot be captured or the graph cannot be instantiated, and rethrows exceptions of `work`; each time the stream
    // remains usable.
    GraphRecording(cudaStream_t stream, const std::function<void()>& work);
    void replay() override;

  private:
    cudaStream_t stream_;
    GraphExec graph_;
};

}  // namespace residual::cuda

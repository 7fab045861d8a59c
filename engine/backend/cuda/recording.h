// A piece of work as a CUDA graph (CUDA programming guide, "CUDA Graphs").
#pragma once

#include <functional>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/handles.h"

namespace residual::cuda {

class GraphRecording final : public Recording {
  public:
    // Captures what `work` queues on `stream`, which must outlive this. Throws Error where it does what cannot be
    // captured, and what `work` itself throws; the stream is usable afterwards.
    GraphRecording(cudaStream_t stream, const std::function<void()>& work);
    void replay() override;

  private:
    cudaStream_t stream_;
    GraphExec graph_;
};

}  // namespace residual::cuda

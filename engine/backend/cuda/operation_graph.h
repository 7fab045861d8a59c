// A GraphKey as an operation graph of cuDNN (cuDNN developer guide, "Graph API").
#pragma once

#include <vector>

#include "engine/backend/cuda/cudnn_descriptor.h"
#include "engine/backend/cuda/graph_key.h"

namespace residual::cuda {

// The tensors of a graph that the caller provides. Scalars (epsilon, new_share) are read from host memory, all others
// are in device memory.
enum class Slot : int64_t {
    x = 1,
    w,
    y,
    dx,
    dw,
    dy,
    residual,
    dresidual,
    mean,
    variance,     // of inference
    inverse_std,  // 1 / sqrt(variance + epsilon), of training and backward
    gamma,
    beta,
    dgamma,
    dbeta,
    running_mean,
    running_variance,
    new_running_mean,
    new_running_variance,
    epsilon,
    new_share,  // running = (1 - new_share) * running + new_share * batch, with the unbiased variance
    zero,
};

class OperationGraph {
  public:
    // `handle` may be null for a graph that is only planned for a described device.
    OperationGraph(const GraphKey& key, cudnnHandle_t handle);

    const Descriptor& descriptor() const { return graph_; }

  private:
    std::vector<Descriptor> parts_;  // Descriptors to which those of the graph refer.
    Descriptor graph_;
};

}  // namespace residual::cuda

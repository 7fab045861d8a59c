// Tracing the operations of a network.
#pragma once

#include "engine/autograd/trace.h"
#include "engine/nn/layers.h"

namespace residual::nn {

// Runs a forward pass of `model` on `images` and returns its operations. `parameters` must be those of the model; their
// names appear in the trace, which marks its input and output. With `training`, the pass updates the running
// statistics.
Trace trace_forward(Backend& backend, const Module& model, const Parameters& parameters, const Tensor& images,
                    bool training);

}  // namespace residual::nn

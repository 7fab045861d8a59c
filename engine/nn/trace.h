// The operations of a network.
#pragma once

#include "engine/autograd/trace.h"
#include "engine/nn/layers.h"

namespace residual::nn {

// Runs `model` forward on `images` and lists what it does, with the names of `parameters`, which must be those of the
// model. In training the running statistics move, as in any forward pass.
Trace trace_forward(Backend& backend, const Module& model, const Parameters& parameters, const Tensor& images,
                    bool training);

}  // namespace residual::nn

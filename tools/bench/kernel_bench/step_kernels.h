// The kernels of a fused training step, counted from the trace of its forward pass: products, bytes and launches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/autograd/trace.h"

namespace residual::bench {

struct StepKernel {
    std::string name;
    int64_t multiply_adds;
    // Of activations, bfloat16, each time the kernel reads or writes them once. Halos, weights, statistics and partial
    // sums, which stay in the L2 cache, are not counted.
    int64_t bytes;
};

// In the order of the step, one launch each, for `batch` images, whatever the batch of the trace. `trace`: in training,
// composed. InputError where a convolution has no fused kernel.
std::vector<StepKernel> fused_step_kernels(const Trace& trace, int64_t batch);

}  // namespace residual::bench

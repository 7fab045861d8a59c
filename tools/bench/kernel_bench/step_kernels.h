// The kernels of a fused training step with their products and bytes, counted from the trace of its forward pass.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/autograd/trace.h"

namespace residual::bench {

struct StepKernel {
    std::string name;
    int64_t multiply_adds;
    // Of bfloat16 activations, once for each that the kernel reads or writes. Halos, weights, statistics and partial
    // sums stay in the L2 cache and are not counted.
    int64_t bytes;
};

// In the order of the step, one launch each, for `batch` images, whatever the batch of `trace`, which is of a composed
// forward pass in training. Throws InputError if a convolution has no fused kernel.
std::vector<StepKernel> fused_step_kernels(const Trace& trace, int64_t batch);

}  // namespace residual::bench

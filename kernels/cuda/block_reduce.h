#pragma once

#include "kernels/cuda/launch.h"

namespace residual::kernels {

// Combines one value per thread of a one-dimensional block by a tree in a fixed order. The result is valid in thread 0.
// blockDim.x must be a power of two; uses blockDim.x values of shared memory.
template <class Value, class Combine>
__device__ Value block_reduce(Value value, Combine combine) {
    Value* slots = dynamic_shared<Value>();
    slots[threadIdx.x] = value;
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) slots[threadIdx.x] = combine(slots[threadIdx.x], slots[threadIdx.x + half]);
    }
    return slots[threadIdx.x];
}

struct Plus {
    template <class Value>
    __device__ Value operator()(Value a, Value b) const {
        return a + b;
    }
};

}  // namespace residual::kernels

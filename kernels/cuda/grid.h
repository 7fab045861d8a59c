#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/launch.h"

namespace residual::kernels {

inline constexpr int kBlockThreads = 256;

// Fills any current GPU several times over; the grid-stride loops cover the rest.
inline constexpr int64_t kMaxBlocks = 4096;

inline unsigned blocks_for(int64_t work, int64_t per_block) {
    return static_cast<unsigned>(std::min(kMaxBlocks, (work + per_block - 1) / per_block));
}

// A one-dimensional grid over n elements: for (i = first_element(); i < n; i += grid_threads()).
inline dim3 element_grid(int64_t n) {
    return dim3(blocks_for(n, kBlockThreads));
}

__device__ inline int64_t first_element() {
    return int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}
__device__ inline int64_t grid_threads() {
    return int64_t{gridDim.x} * blockDim.x;
}

}  // namespace residual::kernels

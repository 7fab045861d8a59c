#pragma once

#include "kernels/batch_norm.h"
#include "kernels/cuda/grid.h"

namespace residual::kernels {

// A [rows, channels] tensor on a grid: threadIdx.x is the channel (blockIdx.y counts slices of 256 channels) and
// threadIdx.y the row, so that a block reads contiguous memory and a thread loads its channel's parameters once.

inline dim3 channel_block(const BatchNormShape& shape) {
    const int lanes = std::min(shape.channels, kBlockThreads);
    return dim3(lanes, kBlockThreads / lanes);
}

inline dim3 channel_grid(const BatchNormShape& shape, unsigned blocks) {
    return dim3(blocks, (shape.channels + kBlockThreads - 1) / kBlockThreads);
}

inline dim3 row_grid(const BatchNormShape& shape) {
    constexpr int kRowsPerThread = 4;
    return channel_grid(shape, blocks_for(shape.rows, int64_t{channel_block(shape).y} * kRowsPerThread));
}

__device__ inline int channel_of_thread() {
    return blockIdx.y * blockDim.x + threadIdx.x;
}
__device__ inline int64_t first_row() {
    return int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
}
__device__ inline int64_t grid_rows() {
    return int64_t{gridDim.x} * blockDim.y;
}

}  // namespace residual::kernels

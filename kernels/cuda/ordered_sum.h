// Sums over the blocks of a grid in a fixed order, finished by whichever block comes last: no second launch, and no
// addition whose order depends on the run.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace kernels {

// To be called by all threads of a block when its part is written. True, for all of them, in the block that is the last
// of `count` to call: it then sees what the others wrote. `ticket` is zero before, and zero again afterwards.
__device__ inline bool last_to_arrive(uint32_t* ticket, uint32_t count) {
    __threadfence();
    __syncthreads();
    int last = 0;
    if (threadIdx.x == 0 && atomicAdd(ticket, 1u) == count - 1) {
        *ticket = 0;
        last = 1;
    }
    last = __syncthreads_or(last);
    if (last != 0) __threadfence();
    return last != 0;
}

// Blocks are summed in groups of about the root of their number, and then the groups: each takes one block's time.
__host__ __device__ inline int group_size(int rows) {
    int size = 1;
    while (size * size < rows) ++size;
    return size;
}
// Tickets that sum_rows needs.
__host__ __device__ inline int sum_tickets(int rows) {
    return 1 + (rows + group_size(rows) - 1) / group_size(rows);
}

// partial [rows][n] float32, row `row` written by this block; to be called by all threads of a one-dimensional block.
// The last block calls store(i, sum) for every i < n, spread over its threads. Overwrites partial.
template <class Store>
__device__ void sum_rows(float* partial, int n, int rows, int row, uint32_t* tickets, Store store) {
    const int size = group_size(rows), groups = (rows + size - 1) / size, group = row / size;
    const int first = group * size, end = first + size < rows ? first + size : rows;
    if (!last_to_arrive(&tickets[1 + group], end - first)) return;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        float sum = __ldcg(&partial[int64_t{first} * n + i]);
        for (int other = first + 1; other < end; ++other) sum += __ldcg(&partial[int64_t{other} * n + i]);
        partial[int64_t{first} * n + i] = sum;
    }
    if (!last_to_arrive(&tickets[0], groups)) return;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        float sum = __ldcg(&partial[i]);
        for (int other = 1; other < groups; ++other) sum += __ldcg(&partial[int64_t{other} * size * n + i]);
        store(i, sum);
    }
}

}  // namespace kernels

// Sums over the blocks of a grid, finished by the last block to arrive, without a second launch. The order of the
// additions does not depend on scheduling.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/last_block.h"

namespace residual::kernels {

// Partial sums are added within groups of about sqrt(rows) blocks, then over the groups, by one block each.
__host__ __device__ inline int group_size(int rows) {
    int size = 1;
    while (size * size < rows) ++size;
    return size;
}
// Tickets that sum_rows needs.
__host__ __device__ inline int sum_tickets(int rows) {
    return 1 + (rows + group_size(rows) - 1) / group_size(rows);
}

__device__ inline float plus(float a, float b) {
    return a + b;
}
__device__ inline float4 plus(const float4& a, const float4& b) {
    return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

// values[0] + values[step] + ..., `count` of them, published by other blocks, added in order with several loads in
// flight.
template <class T>
__device__ T sum_column(const T* values, int64_t step, int count) {
    T sum = read_published(values);
#pragma unroll 8
    for (int i = 1; i < count; ++i) sum = plus(sum, read_published(values + i * step));
    return sum;
}

// partial [rows][n] of float or float4; this block has published row `row`. To be called by all threads of a
// one-dimensional block. The threads of the last block together call store(i, sum) for every i < n. Overwrites partial.
template <class T, class Store>
__device__ void sum_rows(T* partial, int n, int rows, int row, uint32_t* tickets, Store store) {
    const int size = group_size(rows), groups = (rows + size - 1) / size, group = row / size;
    const int first = group * size, end = first + size < rows ? first + size : rows;
    if (!last_to_arrive(&tickets[1 + group], end - first)) return;
    T* group_sum = partial + int64_t{first} * n;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        publish(group_sum + i, sum_column(group_sum + i, n, end - first));
    }
    if (!last_to_arrive(&tickets[0], groups)) return;
    for (int i = threadIdx.x; i < n; i += blockDim.x) store(i, sum_column(partial + i, int64_t{size} * n, groups));
}

}  // namespace residual::kernels

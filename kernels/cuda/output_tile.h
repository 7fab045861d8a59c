// Epilogue of a convolution: stores its sums as rounded pixels, and computes the batch statistics of these.
#pragma once

#include "kernels/cuda/gemm_tile.h"
#include "kernels/cuda/last_block.h"
#include "kernels/cuda/tile_grid.h"

namespace residual::kernels {

// Per-channel statistics of the pixels that a block writes. The sums are of deviations from a pivot, the channel's
// value in the block's first pixel, so that they stay accurate if the mean is much larger than the standard deviation.
// Each block publishes (count, mean, M2) in the scratch, and the last block merges them.
template <int Out>
struct OutputStats {
    bool wanted;
    float* pivot;  // [Out] in shared memory, aligned to 16 bytes
    int pixels = 0;
    float sum[kChunk] = {}, square[kChunk] = {};  // of this lane's channels
};

__host__ __device__ inline size_t stats_scratch_floats(int blocks, int channels) {
    return static_cast<size_t>(blocks) * (1 + 2 * channels);
}

inline constexpr size_t kStatsBytes = kTileThreads * 2 * sizeof(double);  // shared memory for finish_stats

// Calls visit(j, row, column, offset in y) for each chunk j of the lane that is inside the image, j < kLaneChunks.
template <int Out, class Visit>
__device__ void visit_output(const TileGrid& grid, const Tile& tile, Visit visit) {
    using G = GemmTile<Out>;
    const int64_t start = tile.image * grid.height * grid.width * Out + G::chunk_channel();
#pragma unroll
    for (int j = 0; j < G::kLaneChunks; ++j) {
        const int pixel = G::chunk_pixel(j);
        const int row = tile.row + pixel / G::kColumns, column = tile.column + pixel % G::kColumns;
        if (row < grid.height && column < grid.width) visit(j, row, column, start + (row * grid.width + column) * Out);
    }
}

// Writes the tile to y [batch, height, width, Out]. add(j, row, column, offset, values) may modify the values of a
// chunk before they are rounded. To be called by all threads of the block.
template <int Out, class Add>
__device__ void write_tile(const Accumulator (&sum)[GemmTile<Out>::kSums], const TileGrid& grid, const Tile& tile,
                           bfloat16* y, OutputStats<Out>& stats, Add add) {
    using G = GemmTile<Out>;
    float chunks[G::kLaneChunks][kChunk];
    G::to_chunks(sum, chunks);
    visit_output<Out>(grid, tile, [&](int j, int row, int column, int64_t offset) {
        add(j, row, column, offset, chunks[j]);
        const Chunk rounded = round_chunk(chunks[j]);
        to_floats(rounded, chunks[j]);
        store_chunk(y + offset, rounded);
    });
    if (!stats.wanted) return;
    struct alignas(16) Values {
        float v[kChunk];
    };
    Values* pivot = reinterpret_cast<Values*>(stats.pivot + G::chunk_channel());
    if (stats.pixels == 0) {
        if (G::chunk_pixel(0) == 0) {
#pragma unroll
            for (int i = 0; i < kChunk; ++i) pivot->v[i] = chunks[0][i];
        }
        __syncthreads();
    }
    stats.pixels += tile_pixels(grid, tile);
    const Values around = *pivot;
    visit_output<Out>(grid, tile, [&](int j, int, int, int64_t) {
#pragma unroll
        for (int i = 0; i < kChunk; ++i) {
            const float deviation = chunks[j][i] - around.v[i];
            stats.sum[i] += deviation;
            stats.square[i] += deviation * deviation;
        }
    });
}

// Adds up the block's lanes in a fixed order and publishes the block's part of the scratch: counts [gridDim.x], means
// [gridDim.x][Out], M2 [gridDim.x][Out]. `shared`: kStatsBytes; waits until all threads have finished with it.
template <int Out>
__device__ void publish_block_stats(OutputStats<Out>& stats, float* scratch, void* shared) {
    using G = GemmTile<Out>;
    float* warps = static_cast<float*>(shared);  // [2][kWarpsDown][Out]
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kChunk; ++i) {
        // Lanes kSums apart hold the same channels.
#pragma unroll
        for (int distance = G::kSums; distance < kWarpThreads; distance *= 2) {
            stats.sum[i] += __shfl_xor_sync(0xffffffffu, stats.sum[i], distance);
            stats.square[i] += __shfl_xor_sync(0xffffffffu, stats.square[i], distance);
        }
        if (G::lane() < G::kSums) {
            float* target = warps + G::warp_down() * Out + G::chunk_channel() + i;
            target[0] = stats.sum[i];
            target[G::kWarpsDown * Out] = stats.square[i];
        }
    }
    __syncthreads();
    const int c = threadIdx.x;
    if (c == 0) publish(scratch + blockIdx.x, static_cast<float>(stats.pixels));
    if (c >= Out) return;
    float sum = 0.0f, square = 0.0f;
    for (int warp = 0; warp < G::kWarpsDown; ++warp) {
        sum += warps[warp * Out + c];
        square += warps[(G::kWarpsDown + warp) * Out + c];
    }
    const Moments moments = moments_about(stats.pivot[c], sum, square, stats.pixels);
    float* target = scratch + gridDim.x + blockIdx.x * Out + c;
    publish(target, static_cast<float>(moments.mean));
    publish(target + gridDim.x * Out, static_cast<float>(moments.m2));
}

// To be called by all threads of every block of a one-dimensional grid after the last tile. The last block merges the
// (count, mean, M2) of all blocks in a fixed order, in double and relative to the first block's mean.
template <int Out>
__device__ void finish_stats(OutputStats<Out>& stats, const SumScratch& scratch, int64_t rows, float* mean,
                             float* variance, void* shared) {
    publish_block_stats(stats, scratch.floats, shared);
    if (!last_to_arrive(&scratch.tickets[0], gridDim.x)) return;
    constexpr int kSlices = kTileThreads / Out;
    const int c = threadIdx.x % Out, slice = threadIdx.x / Out, blocks = gridDim.x;
    const float *counts = scratch.floats, *means = counts + blocks, *m2 = means + blocks * Out;
    const double pivot = read_published(&means[c]);
    double sum = 0.0, square = 0.0;
#pragma unroll 4
    for (int block = slice; block < blocks; block += kSlices) {
        const double count = read_published(&counts[block]);
        const double deviation = read_published(&means[block * Out + c]) - pivot;
        sum += count * deviation;
        square += read_published(&m2[block * Out + c]) + count * deviation * deviation;
    }
    double* slices = static_cast<double*>(shared);  // [2][kSlices][Out]
    slices[threadIdx.x] = sum;
    slices[kTileThreads + threadIdx.x] = square;
    __syncthreads();
    if (threadIdx.x >= Out) return;
    for (int other = 1; other < kSlices; ++other) {
        sum += slices[other * Out + c];
        square += slices[kTileThreads + other * Out + c];
    }
    const double shift = sum / static_cast<double>(rows);
    mean[c] = static_cast<float>(pivot + shift);
    variance[c] = variance_of(square - sum * shift, rows);
}

}  // namespace residual::kernels

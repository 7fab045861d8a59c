#include "kernels/stem.h"

#include "kernels/cuda/ordered_sum.h"
#include "kernels/cuda/output_tile.h"

namespace residual::kernels {
namespace {

// Both kernels loop over tiles of 8x16 pixels. For each tile a block loads the window of the image that the tile
// depends on, three channels per pixel, and expands it to a matrix (im2col): one row per pixel of the tile, with its 27
// inputs in the order of the weights and five zeros. Forward multiplies the matrix by the weights; backward multiplies
// the transposed gradient of y by the matrix.

using G = GemmTile<kStemOutputs>;

constexpr int kTaps = 9;
constexpr int kProducts = kTaps * kStemInputs;
constexpr int kColumns = 32;  // of the matrix: kProducts rounded up to a multiple of kDepth
constexpr int kMatrix = G::kPixels * kPitch<kColumns>;
constexpr int kWindowRows = G::kRows + 2;
constexpr int kWindowWidth = (G::kColumns + 2) * kStemInputs;  // elements of a row of the window

constexpr int kMaxBlocks = 4 * kSms;

TileGrid grid_of(const StemShape& s) {
    return tile_grid(s.batch, s.height, s.width, G::kRows, G::kColumns);
}
int blocks_of(const StemShape& s) {
    return even_blocks(grid_of(s).tiles, kMaxBlocks);
}

// window [kWindowRows][kWindowWidth] of x, zero outside the image.
__device__ void fill_image_window(const StemShape& s, const Tile& tile, const bfloat16* x, bfloat16* window) {
    for (int i = threadIdx.x; i < kWindowRows * kWindowWidth; i += kTileThreads) {
        const int row = tile.row - s.pad_top + i / kWindowWidth, element = i % kWindowWidth;
        const int column = tile.column - s.pad_left + element / kStemInputs;
        const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
        const int64_t offset = ((tile.image * s.height + row) * s.width + column) * kStemInputs + element % kStemInputs;
        window[i] = inside ? x[offset] : from_float<bfloat16>(0.0f);
    }
}

// matrix [pixels][kPitch<kColumns>]. The inputs of a pixel are three runs of nine values in three rows of the window.
__device__ void fill_matrix(const bfloat16* window, bfloat16* matrix) {
    constexpr int kRun = 3 * kStemInputs, kChunks = kColumns / kChunk;
    for (int i = threadIdx.x; i < G::kPixels * kChunks; i += kTileThreads) {
        const int pixel = i / kChunks, first = i % kChunks * kChunk;
        const bfloat16* corner = window + pixel / G::kColumns * kWindowWidth + pixel % G::kColumns * kStemInputs;
        Chunk chunk = zero_chunk();
#pragma unroll
        for (int k = 0; k < kChunk; ++k) {
            const int product = first + k;
            if (product < kProducts) chunk.v[k] = corner[product / kRun * kWindowWidth + product % kRun];
        }
        store_chunk(matrix + pixel * kPitch<kColumns> + first, chunk);
    }
}

constexpr size_t kForwardBytes =
    (kMatrix + kStemOutputs * kPitch<kColumns> + kWindowRows * kWindowWidth) * sizeof(bfloat16) +
    kStemOutputs * sizeof(float);
static_assert(kMatrix * sizeof(bfloat16) >= kStatsBytes);

__global__ void stem_forward_kernel(StemShape s, TileGrid grid, const bfloat16* x, const bfloat16* weight, bfloat16* y,
                                    float* mean, float* variance, SumScratch scratch) {
    bfloat16* matrix = dynamic_shared<bfloat16>();
    bfloat16* weights = matrix + kMatrix;
    OutputStats<kStemOutputs> stats{mean != nullptr,
                                    reinterpret_cast<float*>(weights + kStemOutputs * kPitch<kColumns>)};
    bfloat16* window = reinterpret_cast<bfloat16*>(stats.pivot + kStemOutputs);
    for (int i = threadIdx.x; i < kStemOutputs * kColumns; i += kTileThreads) {
        const int channel = i / kColumns, product = i % kColumns;
        weights[channel * kPitch<kColumns> + product] =
            product < kProducts ? weight[channel * kProducts + product] : from_float<bfloat16>(0.0f);
    }
    const bfloat16* left = matrix + G::left_pixel() * kPitch<kColumns> + G::left_element();
    const bfloat16* right = weights + G::right_channel() * kPitch<kColumns> + G::right_element();
    for (int index = blockIdx.x; index < grid.tiles; index += gridDim.x) {
        const Tile tile = tile_at(grid, index);
        fill_image_window(s, tile, x, window);
        __syncthreads();
        fill_matrix(window, matrix);
        // The matrix is complete, and all threads have finished reading the window.
        __syncthreads();
        Accumulator sum[G::kSums] = {};
#pragma unroll
        for (int k = 0; k < kColumns; k += kDepth) {
            G::multiply_step(sum, left + k, right + k, kPitch<kColumns>);
        }
        write_tile<kStemOutputs>(sum, grid, tile, y, stats, [](int, int, int, int64_t, float(&)[kChunk]) {});
    }
    if (stats.wanted) {
        finish_stats(stats, scratch, int64_t{s.batch} * s.height * s.width, mean, variance, matrix);
    }
}

// The gradient of y, including the contribution of its moments, is a matrix [pixels][outputs]. Each warp multiplies
// sixteen pixels and keeps its sums for all weights in registers over all tiles of the block.
constexpr int kGradient = G::kPixels * kPitch<kStemOutputs>;
constexpr int kWeightSums = kColumns / 8;  // accumulators of 16x8
constexpr size_t kBackwardBytes =
    (kMatrix + kGradient + kWindowRows * kWindowWidth) * sizeof(bfloat16) + kStemOutputs * sizeof(MomentsSlope);

constexpr int kWarpSums = kStemOutputs * kColumns;
static_assert((kMatrix + kGradient) * sizeof(bfloat16) >= kTileWarps * kWarpSums * sizeof(float));

__device__ void fill_gradient(const StemShape& s, const Tile& tile, const bfloat16* dy, const bfloat16* y,
                              bool with_moments, const MomentsSlope* slope, bfloat16* gradient) {
    constexpr int kChunks = kStemOutputs / kChunk;
    for (int i = threadIdx.x; i < G::kPixels * kChunks; i += kTileThreads) {
        const int pixel = i / kChunks, channel = i % kChunks * kChunk;
        const int row = tile.row + pixel / G::kColumns, column = tile.column + pixel % G::kColumns;
        Chunk chunk = zero_chunk();
        if (row < s.height && column < s.width) {
            const int64_t offset = ((tile.image * s.height + row) * s.width + column) * kStemOutputs + channel;
            chunk = load_chunk(dy + offset);
            if (with_moments) chunk = whole_gradient(chunk, load_chunk(y + offset), slope + channel);
        }
        store_chunk(gradient + pixel * kPitch<kStemOutputs> + channel, chunk);
    }
}

__global__ void stem_backward_kernel(StemShape s, TileGrid grid, const bfloat16* dy, const bfloat16* y,
                                     MomentsGradient moments, const bfloat16* x, float* dweight, SumScratch scratch) {
    bfloat16* matrix = dynamic_shared<bfloat16>();
    bfloat16* gradient = matrix + kMatrix;
    MomentsSlope* slope = reinterpret_cast<MomentsSlope*>(gradient + kGradient);
    bfloat16* window = reinterpret_cast<bfloat16*>(slope + kStemOutputs);
    const bool with_moments = moments.mean != nullptr;
    if (with_moments) load_moments_slope(moments, 0, kStemOutputs, int64_t{s.batch} * s.height * s.width, slope);
    __syncthreads();

    // Both factors are stored [pixel][column] and read transposed. Of the left factor, outputs x pixels, matrices 0 and
    // 1 are the two halves of the outputs for the first eight pixels, 2 and 3 for the last eight. Of the right factor,
    // 0 and 1 are the two halves of the pixels for eight columns, 2 and 3 for the next eight.
    const int warp_pixel = threadIdx.x / kWarpThreads * 16, lane = G::lane();
    const bfloat16* left = gradient + (warp_pixel + lane % 8 + lane / 16 * 8) * kPitch<kStemOutputs> + lane / 8 % 2 * 8;
    const bfloat16* right = matrix + (warp_pixel + lane % 16) * kPitch<kColumns> + lane / 16 * 8;
    Accumulator sum[kWeightSums] = {};
    for (int index = blockIdx.x; index < grid.tiles; index += gridDim.x) {
        const Tile tile = tile_at(grid, index);
        fill_image_window(s, tile, x, window);
        // All threads have finished reading the previous tile's factors, and the window is complete.
        __syncthreads();
        fill_matrix(window, matrix);
        fill_gradient(s, tile, dy, y, with_moments, slope, gradient);
        __syncthreads();
        FragmentA a;
        load_matrices_transposed(a.r, left);
#pragma unroll
        for (int j = 0; j < kWeightSums; j += 2) {
            uint32_t b[4];
            load_matrices_transposed(b, right + j * 8);
            multiply_add(sum[j], a, FragmentB{{b[0], b[1]}});
            multiply_add(sum[j + 1], a, FragmentB{{b[2], b[3]}});
        }
    }

    float* warps = reinterpret_cast<float*>(matrix);  // [kTileWarps][outputs][columns]
    __syncthreads();
    float* own = warps + threadIdx.x / kWarpThreads * kWarpSums;
#pragma unroll
    for (int j = 0; j < kWeightSums; ++j) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            own[(lane / 4 + i / 2 * 8) * kColumns + j * 8 + lane % 4 * 2 + i % 2] = sum[j].v[i];
        }
    }
    __syncthreads();
    constexpr int kWeights = kStemOutputs * kProducts;
    for (int i = threadIdx.x; i < kWeights; i += kTileThreads) {
        const float* first = warps + i / kProducts * kColumns + i % kProducts;
        float total = first[0];
        for (int warp = 1; warp < kTileWarps; ++warp) total += first[warp * kWarpSums];
        publish(scratch.floats + int64_t{blockIdx.x} * kWeights + i, total);
    }
    sum_rows(scratch.floats, kWeights, gridDim.x, blockIdx.x, scratch.tickets,
             [&](int i, float total) { dweight[i] = total; });
}

}  // namespace

template <class Exec>
size_t stem_scratch_floats(const Exec&, const StemShape& shape) {
    const int blocks = blocks_of(shape);
    return std::max(stats_scratch_floats(blocks, kStemOutputs), static_cast<size_t>(blocks) * kStemOutputs * kProducts);
}

template <class Exec>
void stem_forward(const Exec& exec, const StemShape& shape, const bfloat16* x, const bfloat16* weight, bfloat16* y,
                  float* mean, float* variance, const SumScratch& scratch) {
    launch(stem_forward_kernel, blocks_of(shape), kTileThreads, kForwardBytes, exec.stream, shape, grid_of(shape), x,
           weight, y, mean, variance, scratch);
}

template <class Exec>
void stem_backward(const Exec& exec, const StemShape& shape, const bfloat16* dy, const bfloat16* y,
                   const MomentsGradient& moments, const bfloat16* x, float* dweight, const SumScratch& scratch) {
    launch(stem_backward_kernel, blocks_of(shape), kTileThreads, kBackwardBytes, exec.stream, shape, grid_of(shape), dy,
           y, moments, x, dweight, scratch);
}

template size_t stem_scratch_floats(const Cuda&, const StemShape&);
template void stem_forward(const Cuda&, const StemShape&, const bfloat16*, const bfloat16*, bfloat16*, float*, float*,
                           const SumScratch&);
template void stem_backward(const Cuda&, const StemShape&, const bfloat16*, const bfloat16*, const MomentsGradient&,
                            const bfloat16*, float*, const SumScratch&);

}  // namespace residual::kernels

// How the warps of a block divide the product [pixels of a tile] x [output channels], and how its sums, which are
// distributed over the lanes, are rearranged into chunks of a pixel.
#pragma once

#include "kernels/cuda/bn_relu_conv_tile.h"
#include "kernels/cuda/tensor_core.h"

namespace residual::kernels {

inline constexpr int kWarpThreads = 32;
inline constexpr int kTileWarps = 8;
inline constexpr int kTileThreads = kTileWarps * kWarpThreads;

inline constexpr int kDepth = 16;  // of one mma along the inner product

// Each warp computes 16 pixels x kWarpChannels; a lane ends up with kLaneChunks chunks, all of the same channels.
template <int Out>
struct GemmTile {
    static constexpr int kWarpChannels = Out < 32 ? Out : 32;
    static constexpr int kSums = kWarpChannels / 8;  // accumulators of 16x8
    static constexpr int kLaneChunks = kSums / 2;
    static constexpr int kWarpsAcross = Out / kWarpChannels;
    static constexpr int kWarpsDown = kTileWarps / kWarpsAcross;
    static constexpr int kPixels = 16 * kWarpsDown;
    static constexpr int kRows = 8, kColumns = kPixels / kRows;

    static_assert(kSums == 2 || kSums == 4);

    __device__ static int lane() { return threadIdx.x % kWarpThreads; }
    __device__ static int warp_down() { return threadIdx.x / kWarpThreads / kWarpsAcross; }
    __device__ static int warp_channel() { return threadIdx.x / kWarpThreads % kWarpsAcross * kWarpChannels; }

    // The address that this lane passes to load_matrices for the left factor, [pixel of the tile][element],
    __device__ static int left_pixel() { return warp_down() * 16 + lane() % 16; }
    __device__ static int left_element() { return lane() / 16 * 8; }
    // and for the first sixteen channels of the right factor, [channel][element].
    __device__ static int right_channel() { return warp_channel() + lane() % 8 + lane() / 16 * 8; }
    __device__ static int right_element() { return lane() / 8 % 2 * 8; }

    // The first channel of all of the lane's chunks, and the pixel of the tile of each.
    __device__ static int chunk_channel() { return warp_channel() + lane() % kSums * kChunk; }
    __device__ static int chunk_pixel(int chunk) {
        return warp_down() * 16 + lane() / 4 + (kSums == 2 ? lane() % 4 / 2 : chunk) * 8;
    }

    // One step of the inner products: left and right as above, `pitch` elements between channels of right.
    __device__ static void multiply_step(Accumulator (&sum)[kSums], const bfloat16* left, const bfloat16* right,
                                         int pitch) {
        FragmentA a;
        load_matrices(a.r, left);
#pragma unroll
        for (int j = 0; j < kSums; j += 2) {
            uint32_t b[4];
            load_matrices(b, right + j * 8 * pitch);
            multiply_add(sum[j], a, FragmentB{{b[0], b[1]}});
            multiply_add(sum[j + 1], a, FragmentB{{b[2], b[3]}});
        }
    }

    __device__ static void to_chunks(const Accumulator (&sum)[kSums], float (&chunks)[kLaneChunks][kChunk]);
};

// Transposes among four adjacent lanes: each holds two adjacent channels of the same four chunks, and lane t receives
// all of chunk t.
__device__ inline void gather_chunk(const float (&pair)[4][2], float (&chunk)[kChunk]) {
    const bool odd = threadIdx.x % 2 != 0, upper = threadIdx.x % 4 / 2 != 0;
    // After the first exchange a lane has half of two chunks, after the second one full chunk.
    float half[2][4];
#pragma unroll
    for (int j = 0; j < 2; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const float kept = odd ? pair[2 * j + 1][i] : pair[2 * j][i];
            const float given = odd ? pair[2 * j][i] : pair[2 * j + 1][i];
            const float received = __shfl_xor_sync(0xffffffffu, given, 1);
            half[j][i] = odd ? received : kept;
            half[j][2 + i] = odd ? kept : received;
        }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const float kept = upper ? half[1][i] : half[0][i];
        const float received = __shfl_xor_sync(0xffffffffu, upper ? half[0][i] : half[1][i], 2);
        chunk[i] = upper ? received : kept;
        chunk[4 + i] = upper ? kept : received;
    }
}

template <int Out>
__device__ void GemmTile<Out>::to_chunks(const Accumulator (&sum)[kSums], float (&chunks)[kLaneChunks][kChunk]) {
#pragma unroll
    for (int j = 0; j < kLaneChunks; ++j) {
        float pair[4][2];
#pragma unroll
        for (int k = 0; k < 4; ++k) {
            // With sixteen channels the four chunks come from both halves of the pixels, otherwise from half j.
            const int column = kSums == 2 ? k % 2 : k, half = kSums == 2 ? k / 2 : j;
            pair[k][0] = sum[column].v[2 * half];
            pair[k][1] = sum[column].v[2 * half + 1];
        }
        gather_chunk(pair, chunks[j]);
    }
}

}  // namespace residual::kernels

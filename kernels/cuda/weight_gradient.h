// The weight gradient of a 3x3 convolution on tensor cores: for each tap a matrix product
// [output channels] x [input channels], summed over the pixels of a tile.
//
// Both factors are in shared memory, pixel by pixel: dy, and p with the halo that the taps reach. The sums stay in
// registers while a block loops over its tiles. A warp computes a slice of 16 output channels x 9 taps x 16 input
// channels; if the block has fewer slices than warps, several warps divide the pixels of a slice.
#pragma once

#include "kernels/cuda/gradient_window.h"
#include "kernels/cuda/last_block.h"

namespace residual::kernels {

// A tile of Rows x Columns pixels of dy in each of Images images, and its windows in shared memory: dy with DyHalo more
// rows and columns, p with the halo of the taps. The images of a window are contiguous.
template <int Stride, int Rows, int Columns, int Images, int DyHalo>
struct TileWindows {
    static constexpr int kStride = Stride, kRows = Rows, kColumns = Columns, kImages = Images;
    static constexpr int kPixels = Images * Rows * Columns;
    static constexpr int kDyRows = Rows + DyHalo, kDyColumns = Columns + DyHalo;
    static constexpr int kPRows = (Rows - 1) * Stride + 3, kPColumns = (Columns - 1) * Stride + 3;
    using DyWindow = Window<kDyRows, kDyColumns, Images>;
    using PWindow = Window<kPRows, kPColumns, Images>;

    // The index of a pixel of the tile in the window of dy, relative to the tile's first pixel.
    __device__ static int dy_pixel(int pixel) {
        return (image(pixel) * kDyRows + row(pixel)) * kDyColumns + pixel % Columns;
    }
    // The index in the window of p of the first tap of a pixel of the tile.
    __device__ static int p_pixel(int pixel) {
        return (image(pixel) * kPRows + row(pixel) * Stride) * kPColumns + pixel % Columns * Stride;
    }

  private:
    __device__ static int image(int pixel) { return pixel / (Rows * Columns); }
    __device__ static int row(int pixel) { return pixel / Columns % Rows; }
};

inline constexpr int kSliceChannels = 16;
// A slice in memory is float4 [9 taps][2 halves of the input channels][lane], each the four sums of an Accumulator.
inline constexpr int kSliceQuads = 9 * 2 * kWarpThreads;

template <int In, int Out>
struct WeightSlices {
    static constexpr int kAcross = In / kSliceChannels;
    static constexpr int kSlices = kAcross * (Out / kSliceChannels);
    static constexpr int kWarpsPerSlice = kTileWarps / kSlices;
    static constexpr int kQuads = kSlices * kSliceQuads;
    // Shared memory for publish_weight_sums: one half of the warps passes its sums to the other half.
    static constexpr size_t kSumBytes = kWarpsPerSlice / 2 * kQuads * sizeof(float4);

    __device__ static int slice() { return threadIdx.x / kWarpThreads % kSlices; }
    __device__ static int warp_in_slice() { return threadIdx.x / kWarpThreads / kSlices; }
    __device__ static int out_channel() { return slice() / kAcross * kSliceChannels; }
    __device__ static int in_channel() { return slice() % kAcross * kSliceChannels; }
};

struct WeightSums {
    Accumulator v[9][2];
};

// dy: the tile's first pixel in its window [pixels][kPitch<Out>]; p: its window [pixels][kPitch<In>]. For pixels of the
// tile outside the image, dy is zero and p is finite.
template <class W, int In, int Out>
__device__ void add_weight_products(WeightSums& sums, const bfloat16* dy, const bfloat16* p) {
    using S = WeightSlices<In, Out>;
    constexpr int kSteps = W::kPixels / kDepth;
    static_assert(kSteps % S::kWarpsPerSlice == 0);
    const int lane = threadIdx.x % kWarpThreads, row = lane % 8, lower = lane / 8 % 2, upper = lane / 16;
    // ldmatrix reads rows of a pixel and transposes them: A is [output channel][pixel], B is [pixel][input channel].
    const bfloat16* left = dy + S::out_channel() + lower * 8;
    const bfloat16* right = p + S::in_channel() + upper * 8;
#pragma unroll 1
    for (int step = S::warp_in_slice(); step < kSteps; step += S::kWarpsPerSlice) {
        FragmentA a;
        load_matrices_transposed(a.r, left + W::dy_pixel(step * kDepth + upper * 8 + row) * kPitch<Out>);
        const bfloat16* pixel = right + W::p_pixel(step * kDepth + lower * 8 + row) * kPitch<In>;
#pragma unroll
        for (int tap = 0; tap < 9; ++tap) {
            uint32_t b[4];
            load_matrices_transposed(b, pixel + (tap / 3 * W::kPColumns + tap % 3) * kPitch<In>);
            multiply_add(sums.v[tap][0], a, FragmentB{{b[0], b[1]}});
            multiply_add(sums.v[tap][1], a, FragmentB{{b[2], b[3]}});
        }
    }
}

// Adds up the warps of each slice in a fixed order and publishes the block's sums in target [kSlices][kSliceQuads].
// `shared`: kSumBytes; waits until all threads have finished with it.
template <int In, int Out>
__device__ void publish_weight_sums(WeightSums& sums, float4* shared, float4* target) {
    using S = WeightSlices<In, Out>;
    const int lane = threadIdx.x % kWarpThreads;
    const auto place = [&](float4* quads, int index) {
        return quads + (index * S::kSlices + S::slice()) * kSliceQuads;
    };
#pragma unroll
    for (int half = S::kWarpsPerSlice / 2; half > 0; half /= 2) {
        __syncthreads();
        if (S::warp_in_slice() >= half && S::warp_in_slice() < 2 * half) {
            float4* given = place(shared, S::warp_in_slice() - half);
#pragma unroll
            for (int j = 0; j < 18; ++j) {
                const Accumulator& sum = sums.v[j / 2][j % 2];
                given[j * kWarpThreads + lane] = make_float4(sum.v[0], sum.v[1], sum.v[2], sum.v[3]);
            }
        }
        __syncthreads();
        if (S::warp_in_slice() < half) {
            const float4* received = place(shared, S::warp_in_slice());
#pragma unroll
            for (int j = 0; j < 18; ++j) {
                const float4 other = received[j * kWarpThreads + lane];
                Accumulator& sum = sums.v[j / 2][j % 2];
                sum.v[0] += other.x;
                sum.v[1] += other.y;
                sum.v[2] += other.z;
                sum.v[3] += other.w;
            }
        }
    }
    if (S::warp_in_slice() > 0) return;
#pragma unroll
    for (int j = 0; j < 18; ++j) {
        const Accumulator& sum = sums.v[j / 2][j % 2];
        publish(place(target, 0) + j * kWarpThreads + lane, make_float4(sum.v[0], sum.v[1], sum.v[2], sum.v[3]));
    }
}

// Stores quad number `quad` of the slice that begins at out_channel and in_channel to dweight
// [output channels][9][in_channels].
__device__ inline void store_weight_quad(float* dweight, int in_channels, int out_channel, int in_channel, int quad,
                                         const float4& sum) {
    const int lane = quad % kWarpThreads, half = quad / kWarpThreads % 2, tap = quad / kWarpThreads / 2;
    const int out = out_channel + lane / 4, in = in_channel + half * 8 + lane % 4 * 2;
    float* target = dweight + (out * 9 + tap) * in_channels + in;
    *reinterpret_cast<float2*>(target) = make_float2(sum.x, sum.y);
    *reinterpret_cast<float2*>(target + 8 * 9 * in_channels) = make_float2(sum.z, sum.w);
}

}  // namespace residual::kernels

// The data gradient of a 3x3 convolution on tensor cores, followed by the gradients of ReLU and batch norm.
//
// dp(row, column) = sum of dy((row + pad - tap) / stride, ...) * W(tap) over the taps for which the division is exact.
// With stride 2, pixels of dx therefore fall into four classes, by the parity of row + pad and of column + pad, with 1,
// 2, 2 or 4 of the taps. A fragment of 16 pixels is of one class; a warp has the same number of fragments of each.
#pragma once

#include "kernels/cuda/last_block.h"
#include "kernels/cuda/tile_grid.h"
#include "kernels/cuda/weight_gradient.h"

namespace residual::kernels {

// How the warps of a block divide Stride*Rows x Stride*Columns pixels of dx: each computes 16 of the channels, and
// kFragments fragments of every class.
template <int In, int Out, int Stride>
struct DataTile {
    static constexpr int kClasses = Stride * Stride;
    static constexpr int kFragments = Stride == 1 ? 2 : 1;
    static constexpr int kGroups = In / 16;
    static constexpr int kWarpsPerGroup = kTileWarps / kGroups;  // warps with the same channels
    static constexpr int kPixels = kWarpsPerGroup * kFragments * 16;
    static constexpr int kRows = kPixels >= 256 ? 16 : kPixels >= 64 ? 8 : 4;
    static constexpr int kColumns = kPixels / kRows;

    // The window of dy begins kReach - padding rows before the tile.
    static constexpr int kReach = Stride == 1 ? 2 : 1;
    using Windows = TileWindows<Stride, kRows, kColumns, 1, kReach>;

    // The weights are [Out][9][In]; an odd multiple of 16 bytes per output channel avoids bank conflicts.
    static constexpr int kWeightPitch = 9 * In + kChunk;

    __device__ static int channel() { return threadIdx.x / kWarpThreads % kGroups * 16; }
    __device__ static int first_pixel() { return threadIdx.x / kWarpThreads / kGroups * kFragments * 16; }
};

// The parity of row + pad and of column + pad; 0 with stride 1.
struct PixelClass {
    int row, column;
};

// Row (or column) of the window of dy that `tap` multiplies for the first row (or column) of a class.
template <int Stride>
__device__ int window_row(int tap, int pad) {
    if (Stride == 1) return 2 - tap;
    return tap == 1 ? 1 - pad : 1 - tap / 2;
}

// The gradient of p for `Fragments` of the warp's fragments of one class, starting at pixel `first`.
template <class T, int Out, int In, int Stride, int Fragments>
__device__ void convolve_back(const BnReluConvShape& s, PixelClass pixels, int first, const bfloat16* dy,
                              const bfloat16* weights, Accumulator (&sum)[Fragments][2]) {
    using W = typename T::Windows;
    const int lane = threadIdx.x % kWarpThreads;
    const bfloat16* left[Fragments];
#pragma unroll
    for (int f = 0; f < Fragments; ++f) {
        left[f] = dy + W::dy_pixel(first + f * 16 + lane % 16) * kPitch<Out> + lane / 16 * 8;
    }
    // An output channel is a row of k here, so ldmatrix transposes.
    const bfloat16* right = weights + (lane % 8 + lane / 8 % 2 * 8) * T::kWeightPitch + T::channel() + lane / 16 * 8;
    for (int ky = pixels.row; ky < 3; ky += Stride) {
        for (int kx = pixels.column; kx < 3; kx += Stride) {
            const int row = window_row<Stride>(ky, s.pad_top), column = window_row<Stride>(kx, s.pad_left);
            const int pixel = (row * W::kDyColumns + column) * kPitch<Out>;
#pragma unroll
            for (int k = 0; k < Out; k += kDepth) {
                uint32_t b[4];
                load_matrices_transposed(b, right + k * T::kWeightPitch + (ky * 3 + kx) * In);
#pragma unroll
                for (int f = 0; f < Fragments; ++f) {
                    FragmentA a;
                    load_matrices(a.r, left[f] + pixel + k);
                    multiply_add(sum[f][0], a, FragmentB{{b[0], b[1]}});
                    multiply_add(sum[f][1], a, FragmentB{{b[2], b[3]}});
                }
            }
        }
    }
}

// Sums 2 * Half values per lane over the lanes that differ in the bits `Distance` and above. Each exchange with the
// lane at that distance halves the number of values per lane.
template <int Half, int Distance>
__device__ float sum_over_lanes(float (&values)[2 * Half]) {
    const bool upper = threadIdx.x / Distance % 2 != 0;
    float sums[Half];
#pragma unroll
    for (int i = 0; i < Half; ++i) {
        const float given = upper ? values[i] : values[Half + i];
        sums[i] = (upper ? values[Half + i] : values[i]) + __shfl_xor_sync(0xffffffffu, given, Distance);
    }
    if constexpr (Half == 1) {
        return sums[0];
    } else {
        return sum_over_lanes<Half / 2, 2 * Distance>(sums);
    }
}
// Index of the value out of eight that sum_over_lanes returns in a lane with Distance = 4.
__device__ inline int kept_value(int lane) {
    return lane / 4 % 2 * 4 + lane / 8 % 2 * 2 + lane / 16;
}

// Four channels of a pixel: a lane's part after exchanging sums with one neighbour. The four lanes of a pixel together
// hold 16 channels, a 32-byte sector of memory.
inline constexpr int kQuarter = 4;
struct alignas(8) Quarter {
    bfloat16 v[kQuarter];
};
__device__ inline Quarter load_quarter(const bfloat16* source) {
    return *reinterpret_cast<const Quarter*>(source);
}
// The first of a lane's channels among the 16.
__device__ inline int quarter_channel(int lane) {
    return lane % 2 * 8 + lane % 4 / 2 * 4;
}

// The lane's four channels of pixel lane / 4 of the first (half = 0) or last eight pixels of a fragment.
__device__ inline void gather_quarter(const Accumulator (&sum)[2], int half, float (&values)[kQuarter]) {
    const bool odd = threadIdx.x % 2 != 0;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const float first = sum[0].v[2 * half + i], second = sum[1].v[2 * half + i];
        const float received = __shfl_xor_sync(0xffffffffu, odd ? first : second, 1);
        values[i] = odd ? received : first;
        values[2 + i] = odd ? second : received;
    }
}

struct DataOutput {
    const BnReluConvShape& s;
    const BnReluConvBackward& b;
    const BatchNormScale* batch_norm;
};

// For four channels of a pixel, starting at `channel`: adds dp, applies the ReLU's mask, writes dx, and adds to the
// sums of g and g * (x - mean).
template <int In>
__device__ void finish_pixel(const DataOutput& out, int64_t image, int row, int column, int channel,
                             const float (&values)[kQuarter], float (&sums)[2 * kQuarter]) {
    if (row >= out.s.height || column >= out.s.width) return;
    const int64_t offset = ((image * out.s.height + row) * out.s.width + column) * In + channel;
    const Quarter x = load_quarter(out.b.x + offset);
    Quarter added = {}, dx = {};
    if (out.b.dp != nullptr) added = load_quarter(out.b.dp + offset);
    if (out.b.accumulate) dx = load_quarter(out.b.dx + offset);
#pragma unroll
    for (int i = 0; i < kQuarter; ++i) {
        const BatchNormScale& batch_norm = out.batch_norm[channel + i];
        const float value = to_float(x.v[i]);
        const float g = passed_gradient<true>(values[i] + to_float(added.v[i]), value, batch_norm.mean,
                                              batch_norm.scale, batch_norm.beta);
        sums[i] += g;
        sums[kQuarter + i] += g * (value - batch_norm.mean);
        store(dx.v[i], to_float(dx.v[i]) + batch_norm.scale * g);
    }
    *reinterpret_cast<Quarter*>(out.b.dx + offset) = dx;
}

// dx of a tile from the window of dy, `Fragments` fragments at a time. Returns the lane's value of the sums of g and
// g * (x - mean): see kept_value.
template <int In, int Out, int Stride, int Fragments>
__device__ float data_gradient(const DataOutput& out, const Tile& tile, const bfloat16* dy, const bfloat16* weights) {
    using T = DataTile<In, Out, Stride>;
    static_assert(T::kFragments % Fragments == 0);
    constexpr int kSteps = T::kFragments / Fragments;
    const BnReluConvShape& s = out.s;
    const int lane = threadIdx.x % kWarpThreads;
    float kept = 0.0f;
#pragma unroll 1
    for (int step = 0; step < T::kClasses * kSteps; ++step) {
        const PixelClass pixels{step / kSteps / Stride, step / kSteps % Stride};
        const int first = T::first_pixel() + step % kSteps * Fragments * 16;
        Accumulator sum[Fragments][2] = {};
        convolve_back<T, Out, In, Stride>(s, pixels, first, dy, weights, sum);
        float sums[2 * kQuarter] = {};
#pragma unroll
        for (int i = 0; i < 2 * Fragments; ++i) {
            float values[kQuarter];
            gather_quarter(sum[i / 2], i % 2, values);
            const int pixel = first + i * 8 + lane / 4;
            const int row = (tile.row + pixel / T::kColumns) * Stride + (pixels.row + s.pad_top) % Stride;
            const int column = (tile.column + pixel % T::kColumns) * Stride + (pixels.column + s.pad_left) % Stride;
            finish_pixel<In>(out, tile.image, row, column, T::channel() + quarter_channel(lane), values, sums);
        }
        kept += sum_over_lanes<kQuarter, 4>(sums);
        __syncwarp();  // ldmatrix needs a converged warp; lanes diverge at the image's edge in finish_pixel.
    }
    return kept;
}

// Publishes the block's sums in target, [dgamma | dbeta] float32 [2][In], from the values that its lanes kept.
// `shared`: kTileThreads floats; waits until all threads have finished with them.
template <int In, int Out, int Stride>
__device__ void publish_batch_norm_sums(float kept, const BatchNormInput& batch_norm, float* shared, float* target) {
    using T = DataTile<In, Out, Stride>;
    __syncthreads();
    // [warp][g, g * (x - mean)][16 channels]
    const int warp = threadIdx.x / kWarpThreads, lane = threadIdx.x % kWarpThreads, value = kept_value(lane);
    shared[warp * 32 + value / kQuarter * 16 + quarter_channel(lane) + value % kQuarter] = kept;
    __syncthreads();
    if (threadIdx.x >= 2 * In) return;
    const int c = threadIdx.x % In;
    const bool gamma = threadIdx.x < In;
    float sum = 0.0f;
    for (int warp_in_group = 0; warp_in_group < T::kWarpsPerGroup; ++warp_in_group) {
        sum += shared[(warp_in_group * T::kGroups + c / 16) * 32 + (gamma ? 16 : 0) + c % 16];
    }
    publish(target + threadIdx.x, gamma ? sum * reciprocal_std(batch_norm.variance[c], batch_norm.epsilon) : sum);
}

}  // namespace residual::kernels

// Tiles, blocks, shared memory and scratch of the kernels of bn_relu_conv_backward.cu.
#pragma once

#include <algorithm>

#include "kernels/cuda/data_gradient.h"

namespace residual::kernels {

// The shared memory of backward_kernel, in this order: batch norm and moments constants, weights, windows of dy and p.
template <int In, int Out, int Stride, bool Weight>
struct BackwardLayout {
    using T = DataTile<In, Out, Stride>;
    using W = typename T::Windows;
    // Blocks per SM. With stride 2 the weight gradient's sums leave too few registers for two.
    static constexpr int kBlocksPerSm = Stride == 2 && Weight ? 1 : 2;
    static constexpr size_t kBatchNorm = In * sizeof(BatchNormScale) + Out * sizeof(MomentsSlope);
    static constexpr size_t kWeights = Out * T::kWeightPitch * sizeof(bfloat16);
    static constexpr size_t kDy = W::DyWindow::kPixels * kPitch<Out> * sizeof(bfloat16);
    static constexpr size_t kP = Weight ? W::PWindow::kPixels * kPitch<In> * sizeof(bfloat16) : 0;
    // Shares the memory of the windows, after the last tile.
    static constexpr size_t kSums = Weight ? WeightSlices<In, Out>::kSumBytes : 0;
    static constexpr size_t kBytes = kBatchNorm + kWeights + std::max(kDy + kP, kSums);
    static constexpr int kWeightQuads = Weight ? WeightSlices<In, Out>::kQuads : 0;
    static constexpr int kRowQuads = kWeightQuads + In / 2;  // of a block's partial sums

    static TileGrid grid(const BnReluConvShape& s) {
        return tile_grid(s.batch, (s.height + Stride - 1) / Stride, (s.width + Stride - 1) / Stride, T::kRows,
                         T::kColumns);
    }
    static int blocks(const BnReluConvShape& s) { return even_blocks(grid(s).tiles, kBlocksPerSm * kSms); }
    static size_t scratch_floats(const BnReluConvShape& s) { return size_t{4} * kRowQuads * blocks(s); }
};

// Tiles of weight_gradient_kernel: small images are processed four or two at a time, so that every warp has work.
using WideImages1 = TileWindows<1, 16, 16, 1, 0>;
using SmallImages1 = TileWindows<1, 8, 8, 4, 0>;
using WideImages2 = TileWindows<2, 8, 16, 1, 0>;
using SmallImages2 = TileWindows<2, 8, 8, 2, 0>;

template <class W>
struct WeightLayout {
    static constexpr int kBlocksPerSm = 2;
    static constexpr int kIn = kSliceChannels, kOut = kSliceChannels;
    static constexpr size_t kBatchNorm = kIn * sizeof(BatchNormScale) + kOut * sizeof(MomentsSlope);
    static constexpr size_t kWindows =
        (W::DyWindow::kPixels + W::PWindow::kPixels) * kPitch<kSliceChannels> * sizeof(bfloat16);
    static constexpr size_t kBytes = kBatchNorm + std::max(kWindows, WeightSlices<kIn, kOut>::kSumBytes);

    static TileGrid grid(const BnReluConvShape& s) {
        return tile_grid((s.batch + W::kImages - 1) / W::kImages, s.out_height, s.out_width, W::kRows, W::kColumns);
    }
    static int slices(const BnReluConvShape& s) {
        return s.in_channels / kSliceChannels * (s.out_channels / kSliceChannels);
    }
    // Blocks per slice: all slices together fill the GPU.
    static int blocks(const BnReluConvShape& s) { return even_blocks(grid(s).tiles, kBlocksPerSm * kSms / slices(s)); }
    static size_t scratch_floats(const BnReluConvShape& s) { return size_t{4} * kSliceQuads * blocks(s) * slices(s); }
};

template <class Visit>
auto with_weight_tile(const BnReluConvShape& s, Visit visit) {
    const bool small = s.out_height <= 8 && s.out_width <= 8;
    if (s.stride == 1) {
        return small ? visit.template operator()<SmallImages1>() : visit.template operator()<WideImages1>();
    }
    return small ? visit.template operator()<SmallImages2>() : visit.template operator()<WideImages2>();
}

// 64 -> 64 channels have no single kernel: each warp would need two slices, 144 registers per thread for the sums.
template <int In, int Out>
inline constexpr bool kOneKernel = WeightSlices<In, Out>::kSlices <= kTileWarps;

}  // namespace residual::kernels

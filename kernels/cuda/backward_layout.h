// Tiles, blocks, shared memory and scratch of the kernels of half_unit_backward.cu.
#pragma once

#include <algorithm>

#include "kernels/cuda/data_gradient.h"

namespace kernels {

// What backward_kernel has in shared memory, in this order.
template <int In, int Out, int Stride, bool Weight>
struct BackwardLayout {
    using T = DataTile<In, Out, Stride>;
    using W = typename T::Windows;
    // Blocks that share a processor. With stride 2 the weight gradient's sums leave too few registers for two.
    static constexpr int kResident = Stride == 2 && Weight ? 1 : 2;
    static constexpr size_t kNorm = In * sizeof(NormScale) + Out * sizeof(MomentsSlope);
    static constexpr size_t kWeights = Out * T::kWeightPitch * sizeof(bfloat16);
    static constexpr size_t kDy = W::DyWindow::kPixels * kPitch<Out> * sizeof(bfloat16);
    static constexpr size_t kP = Weight ? W::PWindow::kPixels * kPitch<In> * sizeof(bfloat16) : 0;
    // The windows' place serves the sums of the block in the end.
    static constexpr size_t kSums = Weight ? WeightSlices<In, Out>::kSumBytes : 0;
    static constexpr size_t kBytes = kNorm + kWeights + std::max(kDy + kP, kSums);
    static constexpr int kWeightQuads = Weight ? WeightSlices<In, Out>::kQuads : 0;
    static constexpr int kRowQuads = kWeightQuads + In / 2;  // of a block's partial sums

    static TileGrid grid(const HalfUnitShape& s) {
        return tile_grid(s.batch, (s.height + Stride - 1) / Stride, (s.width + Stride - 1) / Stride, T::kRows,
                         T::kColumns);
    }
    static int blocks(const HalfUnitShape& s) { return even_blocks(grid(s).tiles, kResident * kProcessors); }
    static size_t scratch_floats(const HalfUnitShape& s) { return size_t{4} * kRowQuads * blocks(s); }
};

// Tiles of weight_gradient_kernel: small pictures go four or two at a time, so that each warp has pixels of its own.
using WidePictures1 = TileWindows<1, 16, 16, 1, 0>;
using SmallPictures1 = TileWindows<1, 8, 8, 4, 0>;
using WidePictures2 = TileWindows<2, 8, 16, 1, 0>;
using SmallPictures2 = TileWindows<2, 8, 8, 2, 0>;

template <class W>
struct WeightLayout {
    static constexpr int kResident = 2;
    static constexpr int kIn = kSliceChannels, kOut = kSliceChannels;
    static constexpr size_t kNorm = kIn * sizeof(NormScale) + kOut * sizeof(MomentsSlope);
    static constexpr size_t kWindows =
        (W::DyWindow::kPixels + W::PWindow::kPixels) * kPitch<kSliceChannels> * sizeof(bfloat16);
    static constexpr size_t kBytes = kNorm + std::max(kWindows, WeightSlices<kIn, kOut>::kSumBytes);

    static TileGrid grid(const HalfUnitShape& s) {
        return tile_grid((s.batch + W::kImages - 1) / W::kImages, s.out_height, s.out_width, W::kRows, W::kColumns);
    }
    static int slices(const HalfUnitShape& s) {
        return s.in_channels / kSliceChannels * (s.out_channels / kSliceChannels);
    }
    // A slice's blocks: all slices together fill the GPU.
    static int blocks(const HalfUnitShape& s) {
        return even_blocks(grid(s).tiles, kResident * kProcessors / slices(s));
    }
    static size_t scratch_floats(const HalfUnitShape& s) { return size_t{4} * kSliceQuads * blocks(s) * slices(s); }
};

template <class Visit>
auto with_weight_tile(const HalfUnitShape& s, Visit visit) {
    const bool small = s.out_height <= 8 && s.out_width <= 8;
    if (s.stride == 1) {
        return small ? visit.template operator()<SmallPictures1>() : visit.template operator()<WidePictures1>();
    }
    return small ? visit.template operator()<SmallPictures2>() : visit.template operator()<WidePictures2>();
}

// 64 -> 64 channels have no single kernel: its slices are two a warp.
template <int In, int Out>
inline constexpr bool kOneKernel = WeightSlices<In, Out>::kSlices <= kTileWarps;

}  // namespace kernels

// The gradients of the fused BN-ReLU-conv, in one kernel or two.
//
// backward_kernel: a block keeps all weights in shared memory and loops over tiles of dx. For each tile it loads the
// window of dy (and y) that the tile depends on into shared memory, adds the contribution of the gradients of y's
// moments, rounds, and also stores the result to dy_whole. From this window and the weights it computes the gradient of
// p, reads x, and writes dx. As the single kernel it also loads the window of x that the tile's pixels of dy depend on,
// normalises it, and multiplies it with dy for the weight gradient. The sums for dweight, dgamma and dbeta stay in
// registers over all tiles; the blocks then publish them in the scratch, and the last blocks add them up.
//
// weight_gradient_kernel: a block computes one slice of dweight, 16 output by 16 input channels, and reads only these
// channels of dy and x.
#include "kernels/cuda/bn_relu_conv_backward.h"

#include <algorithm>

#include "kernels/cuda/backward_layout.h"
#include "kernels/cuda/bn_relu_conv_shape.h"
#include "kernels/cuda/ordered_sum.h"

namespace residual::kernels {
namespace {

// Copies the tile's own pixels of dy, without the halo, from the window to global memory.
template <class W, int Out>
__device__ void write_whole_gradient(const BnReluConvShape& s, const Tile& tile, const bfloat16* own,
                                     bfloat16* dy_whole) {
    constexpr int kChunks = Out / kChunk;
    for (int i = threadIdx.x; i < W::kPixels * kChunks; i += kTileThreads) {
        const int pixel = i / kChunks, channel = i % kChunks * kChunk;
        const int row = tile.row + pixel / W::kColumns, column = tile.column + pixel % W::kColumns;
        if (row >= s.out_height || column >= s.out_width) continue;
        store_chunk(dy_whole + ((tile.image * s.out_height + row) * s.out_width + column) * Out + channel,
                    load_chunk(own + W::dy_pixel(pixel) * kPitch<Out> + channel));
    }
}

template <int In, int Out, int Stride, bool Weight>
__global__ __launch_bounds__(kTileThreads, BackwardLayout<In, Out, Stride, Weight>::kBlocksPerSm) void backward_kernel(
    BnReluConvShape s, TileGrid grid, BnReluConvBackward b, SumScratch scratch) {
    using L = BackwardLayout<In, Out, Stride, Weight>;
    using T = typename L::T;
    using W = typename L::W;
    using S = WeightSlices<In, Out>;
    BatchNormScale* batch_norm = dynamic_shared<BatchNormScale>();
    MomentsSlope* slope = reinterpret_cast<MomentsSlope*>(batch_norm + In);
    bfloat16* weights = reinterpret_cast<bfloat16*>(slope + Out);
    bfloat16* dy = weights + Out * T::kWeightPitch;
    bfloat16* p = dy + W::DyWindow::kPixels * kPitch<Out>;

    constexpr int kRowChunks = 9 * In / kChunk;
    for (int i = threadIdx.x; i < Out * kRowChunks; i += kTileThreads) {
        copy_async(weights + i / kRowChunks * T::kWeightPitch + i % kRowChunks * kChunk, b.weight + i * kChunk);
    }
    load_batch_norm(b.batch_norm, In, batch_norm);
    const bool with_moments = b.moments.mean != nullptr;
    if (with_moments) load_moments_slope(b.moments, 0, Out, int64_t{s.batch} * s.out_height * s.out_width, slope);

    // Rows and columns of the window of dy before the tile.
    const int above = T::kReach - s.pad_top, before = T::kReach - s.pad_left;
    const bfloat16* own = dy + (above * W::kDyColumns + before) * kPitch<Out>;
    // With the sums of the weight gradient, registers suffice for one chunk and one fragment at a time.
    constexpr int kUnroll = Weight ? 1 : 2;
    WeightSums sums = {};
    float kept = 0.0f;
    for (int index = blockIdx.x; index < grid.tiles; index += gridDim.x) {
        const Tile tile = tile_at(grid, index);
        // The constants are loaded, and all threads have finished reading the previous tile's windows.
        __syncthreads();
        const typename W::DyWindow dy_window{tile.image, tile.row - above, tile.column - before};
        const typename W::PWindow p_window{tile.image, tile.row * Stride - s.pad_top,
                                           tile.column * Stride - s.pad_left};
        const Images dy_images{s.batch, s.out_height, s.out_width, Out}, p_images{s.batch, s.height, s.width, In};
        start_window<Out>(dy, dy_window, dy_images, b.dy);
        if constexpr (Weight) start_window<In>(p, p_window, p_images, b.x);
        if (with_moments) add_moments_gradient<Out, kUnroll>(dy, dy_window, dy_images, b.y, slope);
        wait_for_copies();
        if constexpr (Weight) normalise_window<In>(p, p_window, p_images, batch_norm);
        __syncthreads();
        if (b.dy_whole != nullptr) write_whole_gradient<W, Out>(s, tile, own, b.dy_whole);
        __syncwarp();  // mma needs a converged warp; lanes diverge at the image's edge in the write above.
        constexpr int kFragments = Weight ? 1 : T::kFragments;
        kept += data_gradient<In, Out, Stride, kFragments>({s, b, batch_norm}, tile, dy, weights);
        if constexpr (Weight) add_weight_products<W, In, Out>(sums, own, p);
    }

    float4* partial = reinterpret_cast<float4*>(scratch.floats);
    float4* row = partial + int64_t{blockIdx.x} * L::kRowQuads;
    publish_batch_norm_sums<In, Out, Stride>(kept, b.batch_norm, reinterpret_cast<float*>(dy),
                                             reinterpret_cast<float*>(row + L::kWeightQuads));
    if constexpr (Weight) publish_weight_sums<In, Out>(sums, reinterpret_cast<float4*>(dy), row);
    sum_rows(partial, L::kRowQuads, gridDim.x, blockIdx.x, scratch.tickets, [&](int i, const float4& sum) {
        if (i < L::kWeightQuads) {
            const int slice = i / kSliceQuads;
            store_weight_quad(b.dweight, In, slice / S::kAcross * kSliceChannels, slice % S::kAcross * kSliceChannels,
                              i % kSliceQuads, sum);
        } else {
            const int channel = (i - L::kWeightQuads) * 4;
            const float values[] = {sum.x, sum.y, sum.z, sum.w};
#pragma unroll
            for (int k = 0; k < 4; ++k)
                store_batch_norm_sum(b.batch_norm, b.batch_norm_gradients, In, channel + k, values[k]);
        }
    });
}

template <class W>
__global__ __launch_bounds__(kTileThreads, 2) void weight_gradient_kernel(BnReluConvShape s, TileGrid grid,
                                                                          BnReluConvBackward b, SumScratch scratch) {
    using L = WeightLayout<W>;
    BatchNormScale* batch_norm = dynamic_shared<BatchNormScale>();
    MomentsSlope* slope = reinterpret_cast<MomentsSlope*>(batch_norm + L::kIn);
    bfloat16* dy = reinterpret_cast<bfloat16*>(slope + L::kOut);
    bfloat16* p = dy + W::DyWindow::kPixels * kPitch<kSliceChannels>;

    const int across = s.in_channels / kSliceChannels;
    const int out_channel = blockIdx.y / across * kSliceChannels, in_channel = blockIdx.y % across * kSliceChannels;
    const bool whole = b.dy_whole != nullptr, with_moments = b.moments.mean != nullptr && !whole;
    load_batch_norm({b.batch_norm.mean + in_channel, b.batch_norm.variance + in_channel,
                     b.batch_norm.gamma + in_channel, b.batch_norm.beta + in_channel, b.batch_norm.epsilon},
                    kSliceChannels, batch_norm);
    if (with_moments) {
        load_moments_slope(b.moments, out_channel, kSliceChannels, int64_t{s.batch} * s.out_height * s.out_width,
                           slope);
    }
    const bfloat16* gradient = (whole ? b.dy_whole : b.dy) + out_channel;

    WeightSums sums = {};
    for (int index = blockIdx.x; index < grid.tiles; index += gridDim.x) {
        const Tile tile = tile_at(grid, index);
        const int64_t image = tile.image * W::kImages;
        __syncthreads();
        const typename W::DyWindow dy_window{image, tile.row, tile.column};
        const typename W::PWindow p_window{image, tile.row * W::kStride - s.pad_top,
                                           tile.column * W::kStride - s.pad_left};
        const Images dy_images{s.batch, s.out_height, s.out_width, s.out_channels};
        const Images p_images{s.batch, s.height, s.width, s.in_channels};
        start_window<kSliceChannels>(dy, dy_window, dy_images, gradient);
        start_window<kSliceChannels>(p, p_window, p_images, b.x + in_channel);
        if (with_moments) add_moments_gradient<kSliceChannels, 2>(dy, dy_window, dy_images, b.y + out_channel, slope);
        wait_for_copies();
        normalise_window<kSliceChannels>(p, p_window, p_images, batch_norm);
        __syncthreads();
        add_weight_products<W, kSliceChannels, kSliceChannels>(sums, dy, p);
    }

    float4* partial = reinterpret_cast<float4*>(scratch.floats) + int64_t{blockIdx.y} * gridDim.x * kSliceQuads;
    publish_weight_sums<kSliceChannels, kSliceChannels>(sums, reinterpret_cast<float4*>(dy),
                                                        partial + int64_t{blockIdx.x} * kSliceQuads);
    sum_rows(partial, kSliceQuads, gridDim.x, blockIdx.x, scratch.tickets + blockIdx.y * sum_tickets(gridDim.x),
             [&](int i, const float4& sum) {
                 store_weight_quad(b.dweight, s.in_channels, out_channel, in_channel, i, sum);
             });
}

template <int In, int Out, int Stride, bool Weight>
void launch_backward(const Cuda& exec, const BnReluConvShape& shape, const BnReluConvBackward& b,
                     const SumScratch& scratch) {
    using L = BackwardLayout<In, Out, Stride, Weight>;
    constexpr auto kernel = backward_kernel<In, Out, Stride, Weight>;
    allow_shared_bytes<kernel>(L::kBytes);
    launch(kernel, L::blocks(shape), kTileThreads, L::kBytes, exec.stream, shape, L::grid(shape), b, scratch);
}

template <class W>
void launch_weight_gradient(const Cuda& exec, const BnReluConvShape& shape, const BnReluConvBackward& b,
                            const SumScratch& scratch) {
    using L = WeightLayout<W>;
    constexpr auto kernel = weight_gradient_kernel<W>;
    allow_shared_bytes<kernel>(L::kBytes);
    const dim3 grid(L::blocks(shape), L::slices(shape));
    launch(kernel, grid, kTileThreads, L::kBytes, exec.stream, shape, L::grid(shape), b, scratch);
}

}  // namespace

size_t backward_shared_bytes(const BnReluConvShape& shape) {
    return with_bn_relu_conv(shape, [&]<int In, int Out, int Stride>() {
        if constexpr (kOneKernel<In, Out>) {
            if (bn_relu_conv_backward_kernels(shape) == 1) return BackwardLayout<In, Out, Stride, true>::kBytes;
        }
        const size_t weight = with_weight_tile(shape, [&]<class W>() { return WeightLayout<W>::kBytes; });
        return std::max(weight, BackwardLayout<In, Out, Stride, false>::kBytes);
    });
}

template <class Exec>
size_t bn_relu_conv_backward_scratch_floats(const Exec&, const BnReluConvShape& shape) {
    return with_bn_relu_conv(shape, [&]<int In, int Out, int Stride>() {
        const size_t weight =
            with_weight_tile(shape, [&]<class W>() { return WeightLayout<W>::scratch_floats(shape); });
        const size_t two = std::max(weight, BackwardLayout<In, Out, Stride, false>::scratch_floats(shape));
        if constexpr (kOneKernel<In, Out>) {
            return std::max(two, BackwardLayout<In, Out, Stride, true>::scratch_floats(shape));
        }
        return two;
    });
}

template <class Exec>
void bn_relu_conv_backward_form(const Exec& exec, const BnReluConvShape& shape, const BnReluConvBackward& b,
                                const SumScratch& scratch, int kernels) {
    with_bn_relu_conv(shape, [&]<int In, int Out, int Stride>() {
        if constexpr (kOneKernel<In, Out>) {
            if (kernels == 1) return launch_backward<In, Out, Stride, true>(exec, shape, b, scratch);
        }
        launch_backward<In, Out, Stride, false>(exec, shape, b, scratch);
        with_weight_tile(shape, [&]<class W>() { launch_weight_gradient<W>(exec, shape, b, scratch); });
    });
}

template <class Exec>
void bn_relu_conv_backward(const Exec& exec, const BnReluConvShape& shape, const BnReluConvBackward& b,
                           const SumScratch& scratch) {
    bn_relu_conv_backward_form(exec, shape, b, scratch, bn_relu_conv_backward_kernels(shape));
}

template size_t bn_relu_conv_backward_scratch_floats(const Cuda&, const BnReluConvShape&);
template void bn_relu_conv_backward(const Cuda&, const BnReluConvShape&, const BnReluConvBackward&, const SumScratch&);
template void bn_relu_conv_backward_form(const Cuda&, const BnReluConvShape&, const BnReluConvBackward&,
                                         const SumScratch&, int);

}  // namespace residual::kernels

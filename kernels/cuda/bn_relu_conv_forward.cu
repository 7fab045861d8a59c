#include "kernels/cuda/bn_relu_conv_shape.h"
#include "kernels/cuda/output_tile.h"
#include "kernels/shortcut_body.h"

namespace residual::kernels {
namespace {

// A block keeps all weights in shared memory and loops over tiles of y. For each tile it loads the window of x that the
// tile depends on, applies batch norm and ReLU in place, multiplies it with the weights on tensor cores (an implicit
// matrix product over 9 taps x In channels) while the next window is being loaded, adds the residual, and writes y.
// It writes the pixels of p that the tile owns: windows overlap by their halo, owned pixels do not. The sums for the
// statistics of y stay in registers over all tiles.

template <int In, int Out, int Stride>
struct ForwardTile {
    using G = GemmTile<Out>;
    static constexpr int kWindowRows = (G::kRows - 1) * Stride + 3;
    static constexpr int kWindowColumns = (G::kColumns - 1) * Stride + 3;
    static constexpr int kWindow = kWindowRows * kWindowColumns * kPitch<In>;
    // An odd multiple of 16 bytes: ldmatrix has no bank conflicts.
    static constexpr int kWeightPitch = 9 * In + kChunk;
    static constexpr int kWeights = Out * kWeightPitch;
    static constexpr size_t kSharedBytes =
        (kWeights + 2 * kWindow) * sizeof(bfloat16) + In * sizeof(BatchNormScale) + Out * sizeof(float);
    static_assert(2 * kWindow * sizeof(bfloat16) >= kStatsBytes);

    // Blocks per SM: registers suffice for three with 16 output channels and for two with more; the 227 KiB of shared
    // memory, of which the driver reserves 1 KiB per block, may allow fewer.
    static constexpr int kBlocksPerSm = std::min<size_t>(Out == 16 ? 3 : 2, 227 * 1024 / (kSharedBytes + 1024));

    static TileGrid grid(const BnReluConvShape& s) {
        return tile_grid(s.batch, s.out_height, s.out_width, G::kRows, G::kColumns);
    }
    // As many as run at once, even if some then have one tile more: the blocks of an SM balance each other.
    static int blocks(const BnReluConvShape& s) { return std::min(grid(s).tiles, kBlocksPerSm * kSms); }
};

// The chunks of a window that a thread loads, the same in every window and all of the same channels: calls
// visit(element of the window, row, column, offset in the image) for chunks inside the image, outside(element) for the
// others.
template <int In, int Out, int Stride, class Visit, class Outside>
__device__ void visit_window(const BnReluConvShape& s, const Tile& tile, Visit visit, Outside outside) {
    using T = ForwardTile<In, Out, Stride>;
    constexpr int kChunks = In / kChunk, kPixels = T::kWindowRows * T::kWindowColumns;
    const int channel = threadIdx.x % kChunks * kChunk;
    const int top = tile.row * Stride - s.pad_top, left = tile.column * Stride - s.pad_left;
#pragma unroll
    for (int first = 0; first < kPixels; first += kTileThreads / kChunks) {
        const int pixel = first + threadIdx.x / kChunks;
        if (pixel >= kPixels) break;
        const int row = top + pixel / T::kWindowColumns, column = left + pixel % T::kWindowColumns;
        const int element = pixel * kPitch<In> + channel;
        if (row >= 0 && row < s.height && column >= 0 && column < s.width) {
            visit(element, row, column, (row * s.width + column) * In + channel);
        } else {
            outside(element);
        }
    }
}

template <int In, int Out, int Stride>
__device__ void start_window(const BnReluConvShape& s, const Tile& tile, const bfloat16* x, bfloat16* window) {
    const bfloat16* image = x + tile.image * s.height * s.width * In;
    visit_window<In, Out, Stride>(
        s, tile, [&](int element, int, int, int offset) { copy_async(window + element, image + offset); },
        [&](int element) { store_chunk(window + element, zero_chunk()); });
}

// Each thread normalises the chunks that it copied, so no barrier is needed before. The zeros outside the image stay,
// because the convolution pads p, not x.
template <int In, int Out, int Stride>
__device__ void normalise_window(const BnReluConvShape& s, const TileGrid& grid, const Tile& tile,
                                 const BatchNormScale* batch_norm, bfloat16* window, bfloat16* p) {
    struct alignas(16) BatchNormChunk {
        BatchNormScale of[kChunk];
    };
    const BatchNormChunk own =
        *reinterpret_cast<const BatchNormChunk*>(batch_norm + threadIdx.x % (In / kChunk) * kChunk);
    const int64_t start = tile.image * s.height * s.width * In;
    // A tile owns Stride x Stride pixels of x for each of its pixels; the last tiles also own the remainder.
    const int top = tile.row * Stride, left = tile.column * Stride;
    const int bottom = tile.row + grid.rows < grid.height ? top + grid.rows * Stride : s.height;
    const int right = tile.column + grid.columns < grid.width ? left + grid.columns * Stride : s.width;
    visit_window<In, Out, Stride>(
        s, tile,
        [&](int element, int row, int column, int offset) {
            const Chunk normal = normalise(load_chunk(window + element), own.of);
            store_chunk(window + element, normal);
            if (p != nullptr && row >= top && row < bottom && column >= left && column < right) {
                store_chunk(p + start + offset, normal);
            }
        },
        [](int) {});
}

template <int In, int Out, int Stride>
__device__ void convolve(const bfloat16* window, const bfloat16* weights, Accumulator (&sum)[GemmTile<Out>::kSums]) {
    using T = ForwardTile<In, Out, Stride>;
    using G = GemmTile<Out>;
    const int row = G::left_pixel() / G::kColumns * Stride, column = G::left_pixel() % G::kColumns * Stride;
    const bfloat16* left = window + (row * T::kWindowColumns + column) * kPitch<In> + G::left_element();
    const bfloat16* right = weights + G::right_channel() * T::kWeightPitch + G::right_element();
#pragma unroll
    for (int tap = 0; tap < 9; ++tap) {
        const int neighbour = (tap / 3 * T::kWindowColumns + tap % 3) * kPitch<In>;
#pragma unroll
        for (int c = 0; c < In; c += kDepth) {
            G::multiply_step(sum, left + neighbour + c, right + tap * In + c, T::kWeightPitch);
        }
    }
}

__device__ void add_chunk(const Chunk& chunk, float (&values)[kChunk]) {
    float added[kChunk];
    to_floats(chunk, added);
#pragma unroll
    for (int i = 0; i < kChunk; ++i) values[i] += added[i];
}

// Adds the average pool with channel zero-pad to this lane's channels of a pixel of y, in groups of four: a group is
// either all padding or none.
template <int Out>
__device__ void add_average_pool(const TileGrid& grid, const bfloat16* residual, int64_t image, int row, int column,
                                 float (&values)[kChunk]) {
    constexpr int kChannels = Out / 2, kGroup = 4;
    struct alignas(8) Group {
        bfloat16 v[kGroup];
    };
    const int64_t width = 2 * grid.width;
    const bfloat16* corner = residual + ((image * 2 * grid.height + 2 * row) * width + 2 * column) * kChannels;
#pragma unroll
    for (int half = 0; half < kChunk; half += kGroup) {
        const int source = GemmTile<Out>::chunk_channel() + half - Out / 4;
        if (source < 0 || source >= kChannels) continue;
        Group four[4];
#pragma unroll
        for (int k = 0; k < 4; ++k) {
            four[k] = *reinterpret_cast<const Group*>(corner + (k / 2 * width + k % 2) * kChannels + source);
        }
#pragma unroll
        for (int i = 0; i < kGroup; ++i) values[half + i] += average_of_four(&four[0].v[i], kGroup, 2 * kGroup);
    }
}

template <int In, int Out, int Stride>
__global__ __launch_bounds__(kTileThreads, ForwardTile<In, Out, Stride>::kBlocksPerSm) void bn_relu_conv_forward_kernel(
    BnReluConvShape s, TileGrid grid, BnReluConvForward f, SumScratch scratch) {
    using T = ForwardTile<In, Out, Stride>;
    using G = GemmTile<Out>;
    bfloat16* weights = dynamic_shared<bfloat16>();
    bfloat16* windows = weights + T::kWeights;
    BatchNormScale* batch_norm = reinterpret_cast<BatchNormScale*>(windows + 2 * T::kWindow);
    OutputStats<Out> stats{f.mean != nullptr, reinterpret_cast<float*>(batch_norm + In)};

    constexpr int kWeightChunks = 9 * In / kChunk;
    for (int i = threadIdx.x; i < Out * kWeightChunks; i += kTileThreads) {
        const int channel = i / kWeightChunks, element = i % kWeightChunks * kChunk;
        copy_async(weights + channel * T::kWeightPitch + element, f.weight + i * kChunk);
    }
    load_batch_norm(f.batch_norm, In, batch_norm);
    if (blockIdx.x == 0 && threadIdx.x < In && f.running.mean != nullptr) {
        const int c = threadIdx.x;
        const float unbiased = f.batch_norm.variance[c] * unbiased_factor(int64_t{s.batch} * s.height * s.width);
        f.running.mean[c] = running_value(f.running.mean[c], f.batch_norm.mean[c], f.running.decay);
        f.running.variance[c] = running_value(f.running.variance[c], unbiased, f.running.decay);
    }
    const int blocks = gridDim.x;
    Tile next = tile_at(grid, blockIdx.x);
    start_window<In, Out, Stride>(s, next, f.x, windows);
    __syncthreads();

    int buffer = 0;
    for (int index = blockIdx.x; index < grid.tiles; index += blocks, buffer ^= 1) {
        const Tile tile = next;
        bfloat16* window = windows + buffer * T::kWindow;
        wait_for_copies();
        normalise_window<In, Out, Stride>(s, grid, tile, batch_norm, window, f.p);
        // After this barrier the window is complete, and all threads have finished reading the other one.
        __syncthreads();
        if (index + blocks < grid.tiles) {
            next = tile_at(grid, index + blocks);
            start_window<In, Out, Stride>(s, next, f.x, windows + (buffer ^ 1) * T::kWindow);
        }
        Chunk residual[G::kLaneChunks];
        if (f.residual_kind == ResidualKind::kIdentity) {
            visit_output<Out>(grid, tile,
                              [&](int j, int, int, int64_t offset) { residual[j] = load_chunk(f.residual + offset); });
        }
        Accumulator sum[G::kSums] = {};
        __syncwarp();  // mma needs a converged warp; lanes diverge at the image's edge in the loads above.
        convolve<In, Out, Stride>(window, weights, sum);
        write_tile<Out>(sum, grid, tile, f.y, stats, [&](int j, int row, int column, int64_t, float(&values)[kChunk]) {
            if (f.residual_kind == ResidualKind::kIdentity) {
                add_chunk(residual[j], values);
            } else if (f.residual_kind == ResidualKind::kAveragePool) {
                add_average_pool<Out>(grid, f.residual, tile.image, row, column, values);
            }
        });
    }
    if (stats.wanted) {
        finish_stats(stats, scratch, int64_t{s.batch} * s.out_height * s.out_width, f.mean, f.variance, windows);
    }
}

}  // namespace

size_t forward_shared_bytes(const BnReluConvShape& shape) {
    return with_bn_relu_conv(shape,
                             [&]<int In, int Out, int Stride>() { return ForwardTile<In, Out, Stride>::kSharedBytes; });
}

template <class Exec>
size_t bn_relu_conv_forward_scratch_floats(const Exec&, const BnReluConvShape& shape) {
    return with_bn_relu_conv(shape, [&]<int In, int Out, int Stride>() {
        return stats_scratch_floats(ForwardTile<In, Out, Stride>::blocks(shape), Out);
    });
}

template <class Exec>
void bn_relu_conv_forward(const Exec& exec, const BnReluConvShape& shape, const BnReluConvForward& f,
                          const SumScratch& scratch) {
    with_bn_relu_conv(shape, [&]<int In, int Out, int Stride>() {
        using T = ForwardTile<In, Out, Stride>;
        constexpr auto kernel = bn_relu_conv_forward_kernel<In, Out, Stride>;
        allow_shared_bytes<kernel>(T::kSharedBytes);
        launch(kernel, T::blocks(shape), kTileThreads, T::kSharedBytes, exec.stream, shape, T::grid(shape), f, scratch);
    });
}

template size_t bn_relu_conv_forward_scratch_floats(const Cuda&, const BnReluConvShape&);
template void bn_relu_conv_forward(const Cuda&, const BnReluConvShape&, const BnReluConvForward&, const SumScratch&);

}  // namespace residual::kernels

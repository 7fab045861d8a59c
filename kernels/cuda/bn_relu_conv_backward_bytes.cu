// Chooses the form of the backward BN-ReLU-conv that moves fewer bytes.
#include "kernels/cuda/backward_layout.h"
#include "kernels/cuda/bn_relu_conv_backward.h"
#include "kernels/cuda/bn_relu_conv_shape.h"
#include "kernels/cuda/ordered_sum.h"

namespace residual::kernels {
namespace {

// One SM reads 64 bytes per clock from the L2 cache: 127 GB/s at 1.98 GHz, 1/34 of an H200's memory bandwidth of
// 4.3 TB/s.
constexpr double kSingleSmSlowdown = 34;
// 1.3 us between dependent kernels of a graph, at 4.3 TB/s.
constexpr double kLaunchBytes = 5.6e6;

// Pixels that all tiles read along one axis: tile t reads `extent` pixels from t * step - before, clipped to the image.
int64_t read_along(int size, int tiles, int step, int before, int extent) {
    int64_t pixels = 0;
    for (int t = 0; t < tiles; ++t) {
        const int first = t * step - before;
        pixels += std::max(0, std::min(size, first + extent) - std::max(0, first));
    }
    return pixels;
}

template <class W>
double dy_pixels(const BnReluConvShape& s, const TileGrid& grid, int above, int before) {
    return static_cast<double>(s.batch) * read_along(s.out_height, grid.down, W::kRows, above, W::kDyRows) *
           read_along(s.out_width, grid.across, W::kColumns, before, W::kDyColumns);
}
template <class W>
double p_pixels(const BnReluConvShape& s, const TileGrid& grid) {
    return static_cast<double>(s.batch) * read_along(s.height, grid.down, W::kRows * W::kStride, s.pad_top, W::kPRows) *
           read_along(s.width, grid.across, W::kColumns * W::kStride, s.pad_left, W::kPColumns);
}

// sum_rows over `rows` blocks for `slices` independent sums of `bytes` bytes.
void add_sums(BackwardBytes& total, int rows, int slices, double bytes) {
    const int size = group_size(rows), groups = (rows + size - 1) / size;
    total.partial_sums += 2.0 * (rows + groups) * slices * bytes;
    total.waiting += kSingleSmSlowdown * (size + groups) * bytes;
}

template <int In, int Out, int Stride, bool Weight>
void add_backward_kernel(BackwardBytes& total, const BnReluConvShape& s) {
    using L = BackwardLayout<In, Out, Stride, Weight>;
    using T = typename L::T;
    const TileGrid grid = L::grid(s);
    const double pixels = static_cast<double>(s.batch) * s.height * s.width;
    const double dy = dy_pixels<typename L::W>(s, grid, T::kReach - s.pad_top, T::kReach - s.pad_left);
    const double x = Weight ? p_pixels<typename L::W>(s, grid) : pixels;
    total.activations += sizeof(bfloat16) * (2 * dy * Out + x * In + pixels * In);
    total.weights += sizeof(bfloat16) * 9.0 * In * Out * L::blocks(s);
    add_sums(total, L::blocks(s), 1, L::kRowQuads * sizeof(float4));
}

// Each slice reads its own channels: together they read dy once per 16 channels of x, and x once per 16 channels of dy.
template <class W>
void add_weight_kernel(BackwardBytes& total, const BnReluConvShape& s) {
    using L = WeightLayout<W>;
    const TileGrid grid = L::grid(s);
    const double dy = dy_pixels<W>(s, grid, 0, 0) * s.out_channels, x = p_pixels<W>(s, grid) * s.in_channels;
    total.activations += sizeof(bfloat16) * (2 * dy * (s.in_channels / kSliceChannels) +  //
                                             x * (s.out_channels / kSliceChannels));
    add_sums(total, L::blocks(s), L::slices(s), kSliceQuads * sizeof(float4));
}

}  // namespace

bool bn_relu_conv_backward_has_one_kernel(const BnReluConvShape& shape) {
    return with_bn_relu_conv(shape, [&]<int In, int Out, int Stride>() { return kOneKernel<In, Out>; });
}

BackwardBytes bn_relu_conv_backward_bytes(const BnReluConvShape& shape, int kernels) {
    BackwardBytes total;
    with_bn_relu_conv(shape, [&]<int In, int Out, int Stride>() {
        if (kernels == 1) {
            if constexpr (kOneKernel<In, Out>) add_backward_kernel<In, Out, Stride, true>(total, shape);
        } else {
            add_backward_kernel<In, Out, Stride, false>(total, shape);
            with_weight_tile(shape, [&]<class W>() { add_weight_kernel<W>(total, shape); });
            total.waiting += kLaunchBytes;
        }
    });
    return total;
}

int bn_relu_conv_backward_kernels(const BnReluConvShape& shape) {
    if (!bn_relu_conv_backward_has_one_kernel(shape)) return 2;
    return bn_relu_conv_backward_bytes(shape, 1).total() <= bn_relu_conv_backward_bytes(shape, 2).total() ? 1 : 2;
}

}  // namespace residual::kernels

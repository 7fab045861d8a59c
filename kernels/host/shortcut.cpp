#include "kernels/shortcut.h"

#include <algorithm>
#include <cstdint>

#include "kernels/host/parallel.h"
#include "kernels/host/target.h"
#include "kernels/shortcut_body.h"

namespace residual::kernels {
namespace {

int64_t elements(const ShortcutShape& shape) {
    return int64_t{shape.batch} * shape.height * shape.width * std::max(shape.in_channels, 1);
}

// Zero-pads the channels; fill(source, target) writes the others of an output pixel from its upper left pixel of x.
template <class T, class Fill>
void zeropad(const ShortcutShape& shape, int out_height, int out_width, const T* x, T* y, Fill fill) {
    const int channels = shape.in_channels, before = shape.channels_before();
#pragma omp parallel for schedule(static) collapse(2) if (elements(shape) > kParallelElements)
    for (int image = 0; image < shape.batch; ++image) {
        for (int row = 0; row < out_height; ++row) {
            const T* source = x + (int64_t{image} * shape.height + 2 * row) * shape.width * channels;
            T* target = y + (int64_t{image} * out_height + row) * out_width * shape.out_channels;
            for (int column = 0; column < out_width; ++column) {
                std::fill_n(target, before, T{});
                fill(source, target + before);
                std::fill_n(target + before + channels, shape.out_channels - channels - before, T{});
                source += 2 * channels;
                target += shape.out_channels;
            }
        }
    }
}

}  // namespace

template <class Exec, class T>
void avgpool_zeropad(const Exec&, const ShortcutShape& shape, const T* x, T* y) {
    const int channels = shape.in_channels;
    const int64_t down = int64_t{shape.width} * channels;
    zeropad(shape, shape.pooled_height(), shape.pooled_width(), x, y, [=](const T* source, T* target) {
#pragma omp simd
        for (int c = 0; c < channels; ++c) store(target[c], average_of_four(source + c, channels, down));
    });
}

template <class Exec, class T>
void avgpool_zeropad_backward(const Exec&, const ShortcutShape& shape, const T* dy, T* dx) {
    const int channels = shape.in_channels, before = shape.channels_before();
    const int out_height = shape.pooled_height(), out_width = shape.pooled_width();
    const int64_t down = int64_t{shape.width} * channels;
#pragma omp parallel for schedule(static) collapse(2) if (elements(shape) > kParallelElements)
    for (int image = 0; image < shape.batch; ++image) {
        for (int row = 0; row < shape.height; ++row) {
            T* target = dx + (int64_t{image} * shape.height + row) * down;
            if (row / 2 >= out_height) {
                std::fill_n(target, down, T{});
                continue;
            }
            const T* source = dy + (int64_t{image} * out_height + row / 2) * out_width * shape.out_channels + before;
            for (int column = 0; column < out_width; ++column) {
#pragma omp simd
                for (int c = 0; c < channels; ++c) {
                    const float gradient = 0.25f * to_float(source[c]);
                    store(target[c], gradient);
                    store(target[channels + c], gradient);
                }
                source += shape.out_channels;
                target += 2 * channels;
            }
            std::fill_n(target, (shape.width - 2 * out_width) * channels, T{});
        }
    }
}

template <class Exec, class T>
void subsample_zeropad(const Exec&, const ShortcutShape& shape, const T* x, T* y) {
    zeropad(shape, shape.subsampled_height(), shape.subsampled_width(), x, y,
            [&](const T* source, T* target) { std::copy_n(source, shape.in_channels, target); });
}

template <class Exec, class T>
void subsample_zeropad_backward(const Exec&, const ShortcutShape& shape, const T* dy, T* dx) {
    const int channels = shape.in_channels, before = shape.channels_before();
    const int out_height = shape.subsampled_height(), out_width = shape.subsampled_width();
    const int64_t line = int64_t{shape.width} * channels;
#pragma omp parallel for schedule(static) collapse(2) if (elements(shape) > kParallelElements)
    for (int image = 0; image < shape.batch; ++image) {
        for (int row = 0; row < shape.height; ++row) {
            T* target = dx + (int64_t{image} * shape.height + row) * line;
            if (row % 2 != 0) {
                std::fill_n(target, line, T{});
                continue;
            }
            const T* source = dy + (int64_t{image} * out_height + row / 2) * out_width * shape.out_channels + before;
            for (int column = 0; column < shape.width; ++column, target += channels) {
                if (column % 2 != 0) {
                    std::fill_n(target, channels, T{});
                } else {
                    std::copy_n(source, channels, target);
                    source += shape.out_channels;
                }
            }
        }
    }
}

template void avgpool_zeropad(const Target&, const ShortcutShape&, const float*, float*);
template void avgpool_zeropad(const Target&, const ShortcutShape&, const bfloat16*, bfloat16*);
template void avgpool_zeropad_backward(const Target&, const ShortcutShape&, const float*, float*);
template void avgpool_zeropad_backward(const Target&, const ShortcutShape&, const bfloat16*, bfloat16*);
template void subsample_zeropad(const Target&, const ShortcutShape&, const float*, float*);
template void subsample_zeropad(const Target&, const ShortcutShape&, const bfloat16*, bfloat16*);
template void subsample_zeropad_backward(const Target&, const ShortcutShape&, const float*, float*);
template void subsample_zeropad_backward(const Target&, const ShortcutShape&, const bfloat16*, bfloat16*);

}  // namespace residual::kernels

#include "kernels/shortcut.h"

#include <cstdint>

#include "kernels/cuda/grid.h"
#include "kernels/shortcut_body.h"

namespace residual::kernels {
namespace {

// Each block writes one image row of the output; consecutive threads read and write consecutive channels.

template <class T>
__global__ void avgpool_zeropad_kernel(ShortcutShape shape, const T* x, T* y) {
    const int channels = shape.in_channels, before = shape.channels_before(), width = shape.pooled_width();
    const int64_t image = blockIdx.x / shape.pooled_height(), row = blockIdx.x % shape.pooled_height();
    const int64_t down = int64_t{shape.width} * channels;
    const T* source = x + (image * shape.height + 2 * row) * down;
    T* target = y + int64_t{blockIdx.x} * width * shape.out_channels;
    for (int i = threadIdx.x; i < width * shape.out_channels; i += blockDim.x) {
        const int column = i / shape.out_channels, c = i % shape.out_channels - before;
        const bool filled = c >= 0 && c < channels;
        store(target[i], filled ? average_of_four(source + 2 * column * channels + c, channels, down) : 0.0f);
    }
}

template <class T>
__global__ void avgpool_zeropad_backward_kernel(ShortcutShape shape, const T* dy, T* dx) {
    const int channels = shape.in_channels;
    const int out_height = shape.pooled_height(), out_width = shape.pooled_width();
    const int64_t image = blockIdx.x / shape.height, row = blockIdx.x % shape.height;
    const T* source = dy + (image * out_height + row / 2) * out_width * shape.out_channels + shape.channels_before();
    T* target = dx + int64_t{blockIdx.x} * shape.width * channels;
    for (int i = threadIdx.x; i < shape.width * channels; i += blockDim.x) {
        const int column = i / channels / 2, c = i % channels;
        const bool pooled = row / 2 < out_height && column < out_width;
        store(target[i], pooled ? 0.25f * to_float(source[column * shape.out_channels + c]) : 0.0f);
    }
}

template <class T>
__global__ void subsample_zeropad_kernel(ShortcutShape shape, const T* x, T* y) {
    const int channels = shape.in_channels, before = shape.channels_before(), width = shape.subsampled_width();
    const int64_t image = blockIdx.x / shape.subsampled_height(), row = blockIdx.x % shape.subsampled_height();
    const T* source = x + (image * shape.height + 2 * row) * shape.width * channels;
    T* target = y + int64_t{blockIdx.x} * width * shape.out_channels;
    for (int i = threadIdx.x; i < width * shape.out_channels; i += blockDim.x) {
        const int column = i / shape.out_channels, c = i % shape.out_channels - before;
        target[i] = c >= 0 && c < channels ? source[2 * column * channels + c] : from_float<T>(0.0f);
    }
}

template <class T>
__global__ void subsample_zeropad_backward_kernel(ShortcutShape shape, const T* dy, T* dx) {
    const int channels = shape.in_channels;
    const int64_t image = blockIdx.x / shape.height, row = blockIdx.x % shape.height;
    const int64_t out_row = image * shape.subsampled_height() + row / 2;
    const T* source = dy + out_row * shape.subsampled_width() * shape.out_channels + shape.channels_before();
    T* target = dx + int64_t{blockIdx.x} * shape.width * channels;
    for (int i = threadIdx.x; i < shape.width * channels; i += blockDim.x) {
        const int column = i / channels, c = i % channels;
        const bool taken = row % 2 == 0 && column % 2 == 0;
        target[i] = taken ? source[column / 2 * shape.out_channels + c] : from_float<T>(0.0f);
    }
}

}  // namespace

template <class Exec, class T>
void avgpool_zeropad(const Exec& exec, const ShortcutShape& shape, const T* x, T* y) {
    launch(avgpool_zeropad_kernel<T>, shape.batch * shape.pooled_height(), kBlockThreads, 0, exec.stream, shape, x, y);
}

template <class Exec, class T>
void avgpool_zeropad_backward(const Exec& exec, const ShortcutShape& shape, const T* dy, T* dx) {
    launch(avgpool_zeropad_backward_kernel<T>, shape.batch * shape.height, kBlockThreads, 0, exec.stream, shape, dy,
           dx);
}

template <class Exec, class T>
void subsample_zeropad(const Exec& exec, const ShortcutShape& shape, const T* x, T* y) {
    launch(subsample_zeropad_kernel<T>, shape.batch * shape.subsampled_height(), kBlockThreads, 0, exec.stream, shape,
           x, y);
}

template <class Exec, class T>
void subsample_zeropad_backward(const Exec& exec, const ShortcutShape& shape, const T* dy, T* dx) {
    launch(subsample_zeropad_backward_kernel<T>, shape.batch * shape.height, kBlockThreads, 0, exec.stream, shape, dy,
           dx);
}

template void avgpool_zeropad(const Cuda&, const ShortcutShape&, const float*, float*);
template void avgpool_zeropad(const Cuda&, const ShortcutShape&, const bfloat16*, bfloat16*);
template void avgpool_zeropad_backward(const Cuda&, const ShortcutShape&, const float*, float*);
template void avgpool_zeropad_backward(const Cuda&, const ShortcutShape&, const bfloat16*, bfloat16*);
template void subsample_zeropad(const Cuda&, const ShortcutShape&, const float*, float*);
template void subsample_zeropad(const Cuda&, const ShortcutShape&, const bfloat16*, bfloat16*);
template void subsample_zeropad_backward(const Cuda&, const ShortcutShape&, const float*, float*);
template void subsample_zeropad_backward(const Cuda&, const ShortcutShape&, const bfloat16*, bfloat16*);

}  // namespace residual::kernels

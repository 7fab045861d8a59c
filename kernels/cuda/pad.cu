#include "kernels/pad.h"

#include <cstdint>

#include "kernels/cuda/grid.h"

namespace residual::kernels {
namespace {

// Each block writes one image row of the output.

template <class T>
__global__ void spatial_pad_kernel(PadShape shape, const T* x, T* y) {
    const int out_height = shape.top + shape.height + shape.bottom;
    const int line = shape.width * shape.channels, left = shape.left * shape.channels;
    const int out_line = left + line + shape.right * shape.channels;
    const int64_t image = blockIdx.x / out_height;
    const int row = static_cast<int>(blockIdx.x % out_height) - shape.top;
    const bool row_inside = row >= 0 && row < shape.height;
    const T* source = x + (image * shape.height + row) * line;
    T* target = y + int64_t{blockIdx.x} * out_line;
    for (int i = threadIdx.x; i < out_line; i += blockDim.x) {
        const bool inside = row_inside && i >= left && i < left + line;
        target[i] = inside ? source[i - left] : from_float<T>(0.0f);
    }
}

template <class T>
__global__ void spatial_crop_kernel(PadShape shape, const T* y, T* x) {
    const int padded_height = shape.top + shape.height + shape.bottom;
    const int line = shape.width * shape.channels;
    const int64_t padded_line = int64_t{shape.left + shape.width + shape.right} * shape.channels;
    const int64_t image = blockIdx.x / shape.height, row = blockIdx.x % shape.height;
    const T* source = y + (image * padded_height + shape.top + row) * padded_line + shape.left * shape.channels;
    T* target = x + int64_t{blockIdx.x} * line;
    for (int i = threadIdx.x; i < line; i += blockDim.x) target[i] = source[i];
}

}  // namespace

template <class Exec, class T>
void spatial_pad(const Exec& exec, const PadShape& shape, const T* x, T* y) {
    const unsigned rows = shape.batch * (shape.top + shape.height + shape.bottom);
    launch(spatial_pad_kernel<T>, rows, kBlockThreads, 0, exec.stream, shape, x, y);
}

template <class Exec, class T>
void spatial_crop(const Exec& exec, const PadShape& shape, const T* y, T* x) {
    const unsigned rows = shape.batch * shape.height;
    launch(spatial_crop_kernel<T>, rows, kBlockThreads, 0, exec.stream, shape, y, x);
}

template void spatial_pad(const Cuda&, const PadShape&, const float*, float*);
template void spatial_pad(const Cuda&, const PadShape&, const bfloat16*, bfloat16*);
template void spatial_crop(const Cuda&, const PadShape&, const float*, float*);
template void spatial_crop(const Cuda&, const PadShape&, const bfloat16*, bfloat16*);

}  // namespace residual::kernels

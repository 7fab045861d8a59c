#include "kernels/pool.h"

#include <cstdint>

#include "kernels/cuda/grid.h"

namespace residual::kernels {
namespace {

// One thread per channel of an image, so that a warp reads adjacent channels of a pixel.
template <class T>
__global__ void global_average_pool_kernel(int batch, int pixels, int channels, const T* x, float* y) {
    const float share = 1.0f / static_cast<float>(pixels);
    for (int64_t i = first_element(); i < int64_t{batch} * channels; i += grid_threads()) {
        const T* source = x + i / channels * pixels * channels + i % channels;
        float sum = 0.0f;
        for (int pixel = 0; pixel < pixels; ++pixel) sum += to_float(source[int64_t{pixel} * channels]);
        y[i] = sum * share;
    }
}

// One block per image.
template <class T>
__global__ void global_average_pool_backward_kernel(int pixels, int channels, const float* dy, T* dx) {
    const float share = 1.0f / static_cast<float>(pixels);
    const float* source = dy + int64_t{blockIdx.x} * channels;
    T* target = dx + int64_t{blockIdx.x} * pixels * channels;
    for (int i = threadIdx.x; i < pixels * channels; i += blockDim.x) {
        store(target[i], source[i % channels] * share);
    }
}

}  // namespace

template <class Exec, class T>
void global_average_pool(const Exec& exec, int batch, int pixels, int channels, const T* x, float* y) {
    launch(global_average_pool_kernel<T>, element_grid(int64_t{batch} * channels), kBlockThreads, 0, exec.stream, batch,
           pixels, channels, x, y);
}

template <class Exec, class T>
void global_average_pool_backward(const Exec& exec, int batch, int pixels, int channels, const float* dy, T* dx) {
    launch(global_average_pool_backward_kernel<T>, static_cast<unsigned>(batch), kBlockThreads, 0, exec.stream, pixels,
           channels, dy, dx);
}

template void global_average_pool(const Cuda&, int, int, int, const float*, float*);
template void global_average_pool(const Cuda&, int, int, int, const bfloat16*, float*);
template void global_average_pool_backward(const Cuda&, int, int, int, const float*, float*);
template void global_average_pool_backward(const Cuda&, int, int, int, const float*, bfloat16*);

}  // namespace residual::kernels

#include "kernels/pool.h"

#include <algorithm>
#include <cstdint>

#include "kernels/host/parallel.h"
#include "kernels/host/target.h"

namespace residual::kernels {

template <class Exec, class T>
void global_average_pool(const Exec&, int batch, int pixels, int channels, const T* x, float* y) {
    const float share = 1.0f / static_cast<float>(pixels);
#pragma omp parallel for schedule(static) if (int64_t{batch} * pixels * channels > kParallelElements)
    for (int image = 0; image < batch; ++image) {
        float* sum = y + int64_t{image} * channels;
        std::fill_n(sum, channels, 0.0f);
        for (int pixel = 0; pixel < pixels; ++pixel) {
            const T* source = x + (int64_t{image} * pixels + pixel) * channels;
#pragma omp simd
            for (int c = 0; c < channels; ++c) sum[c] += to_float(source[c]);
        }
#pragma omp simd
        for (int c = 0; c < channels; ++c) sum[c] *= share;
    }
}

template <class Exec, class T>
void global_average_pool_backward(const Exec&, int batch, int pixels, int channels, const float* dy, T* dx) {
    const float share = 1.0f / static_cast<float>(pixels);
#pragma omp parallel for schedule(static) if (int64_t{batch} * pixels * channels > kParallelElements)
    for (int image = 0; image < batch; ++image) {
        const float* source = dy + int64_t{image} * channels;
        T* target = dx + int64_t{image} * pixels * channels;
        for (int pixel = 0; pixel < pixels; ++pixel, target += channels) {
#pragma omp simd
            for (int c = 0; c < channels; ++c) store(target[c], source[c] * share);
        }
    }
}

template void global_average_pool(const Target&, int, int, int, const float*, float*);
template void global_average_pool(const Target&, int, int, int, const bfloat16*, float*);
template void global_average_pool_backward(const Target&, int, int, int, const float*, float*);
template void global_average_pool_backward(const Target&, int, int, int, const float*, bfloat16*);

}  // namespace residual::kernels

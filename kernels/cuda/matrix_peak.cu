#include "kernels/matrix_peak.h"

#include "kernels/bfloat16.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/tensor_core.h"

namespace residual::kernels {
namespace {

constexpr int kWarp = 32;
constexpr int kA = 2, kB = 4;

__device__ float a_value(int i, int row, int k) {
    return static_cast<float>((5 * row + 3 * k + 2 * i) % 7 - 3);
}
__device__ float b_value(int j, int k, int column) {
    return static_cast<float>((3 * k + 2 * column + j) % 5 - 2);
}

__device__ uint32_t pair(float first, float second) {
    return bfloat16_bits(first) | static_cast<uint32_t>(bfloat16_bits(second)) << 16;
}

__global__ void matrix_peak_kernel(int repeats, float* sums) {
    const int lane = threadIdx.x % kWarp, g = lane / 4, t = lane % 4;
    FragmentA a[kA];
    FragmentB b[kB];
    for (int i = 0; i < kA; ++i) {
        for (int part = 0; part < 4; ++part) {
            const int row = g + 8 * (part % 2), k = 2 * t + 8 * (part / 2);
            a[i].r[part] = pair(a_value(i, row, k), a_value(i, row, k + 1));
        }
    }
    for (int j = 0; j < kB; ++j) {
        for (int part = 0; part < 2; ++part) {
            const int k = 2 * t + 8 * part;
            b[j].r[part] = pair(b_value(j, k, g), b_value(j, k + 1, g));
        }
    }
    // Eight independent chains hide the latency of mma.
    Accumulator d[kA][kB] = {};
    for (int repeat = 0; repeat < repeats; ++repeat) {
#pragma unroll
        for (int i = 0; i < kA; ++i) {
#pragma unroll
            for (int j = 0; j < kB; ++j) multiply_add(d[i][j], a[i], b[j]);
        }
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < kA; ++i) {
#pragma unroll
        for (int j = 0; j < kB; ++j) {
            for (int v = 0; v < 4; ++v) sum += d[i][j].v[v];
        }
    }
    sums[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

}  // namespace

template <>
void matrix_peak(const Cuda& exec, int blocks, int repeats, float* sums) {
    launch(matrix_peak_kernel, dim3(blocks), dim3(kMatrixPeakThreads), 0, exec.stream, repeats, sums);
}

}  // namespace residual::kernels

#include "kernels/linear.h"

#include <cstdint>

#include "kernels/cuda/block_reduce.h"
#include "kernels/cuda/grid.h"

namespace residual::kernels {
namespace {

__global__ void add_bias_kernel(int rows, int columns, const float* bias, float* y) {
    for (int64_t i = first_element(); i < int64_t{rows} * columns; i += grid_threads()) y[i] += bias[i % columns];
}

// One block per column.
__global__ void column_sum_kernel(int rows, int columns, const float* x, float* y) {
    float sum = 0.0f;
    for (int row = threadIdx.x; row < rows; row += blockDim.x) sum += x[int64_t{row} * columns + blockIdx.x];
    sum = block_reduce(sum, Plus{});
    if (threadIdx.x == 0) y[blockIdx.x] = sum;
}

}  // namespace

template <class Exec>
void add_bias(const Exec& exec, int rows, int columns, const float* bias, float* y) {
    launch(add_bias_kernel, element_grid(int64_t{rows} * columns), kBlockThreads, 0, exec.stream, rows, columns, bias,
           y);
}

template <class Exec>
void column_sum(const Exec& exec, int rows, int columns, const float* x, float* y) {
    launch(column_sum_kernel, static_cast<unsigned>(columns), kBlockThreads, kBlockThreads * sizeof(float), exec.stream,
           rows, columns, x, y);
}

template void add_bias(const Cuda&, int, int, const float*, float*);
template void column_sum(const Cuda&, int, int, const float*, float*);

}  // namespace residual::kernels

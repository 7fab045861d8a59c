#include "kernels/optimizer.h"

#include "kernels/cuda/block_reduce.h"
#include "kernels/cuda/grid.h"
#include "kernels/optimizer_body.h"

namespace kernels {
namespace {

__global__ void sgd_momentum_kernel(int64_t n, int64_t decayed, const float* learning_rate, float momentum,
                                    float weight_decay, const float* gradient, float* velocity, float* weight,
                                    bfloat16* copy) {
    const float rate = *learning_rate;
    for (int64_t i = first_element(); i < n; i += grid_threads()) {
        float v = velocity[i], w = weight[i];
        sgd_momentum_value(rate, momentum, i < decayed ? weight_decay : 0.0f, gradient[i], v, w);
        velocity[i] = v;
        weight[i] = w;
        if (copy != nullptr) store(copy[i], w);
    }
}

// Each block sums what its threads stride over, then one block sums the blocks: a fixed order.
constexpr int64_t kMostSumBlocks = 256;

unsigned sum_blocks(int64_t n) {
    return static_cast<unsigned>(std::min(kMostSumBlocks, (n + kBlockThreads - 1) / kBlockThreads));
}

__global__ void partial_sum_squares_kernel(int64_t n, const float* x, double* partial) {
    double sum = 0.0;
    for (int64_t i = first_element(); i < n; i += grid_threads()) sum += static_cast<double>(x[i]) * x[i];
    sum = block_reduce(sum, Plus{});
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void total_kernel(int blocks, const double* partial, double* result) {
    const double sum = block_reduce(static_cast<int>(threadIdx.x) < blocks ? partial[threadIdx.x] : 0.0, Plus{});
    if (threadIdx.x == 0) *result = sum;
}

}  // namespace

template <class Exec>
void sgd_momentum(const Exec& exec, int64_t n, int64_t decayed, const float* learning_rate, float momentum,
                  float weight_decay, const float* gradient, float* velocity, float* weight, bfloat16* copy) {
    launch(sgd_momentum_kernel, element_grid(n), kBlockThreads, 0, exec.stream, n, decayed, learning_rate, momentum,
           weight_decay, gradient, velocity, weight, copy);
}

template <class Exec>
size_t sum_squares_scratch_floats(const Exec&, int64_t n) {
    return sum_blocks(n) * (sizeof(double) / sizeof(float));
}

template <class Exec>
void sum_squares(const Exec& exec, int64_t n, const float* x, double* result, float* scratch) {
    double* partial = reinterpret_cast<double*>(scratch);
    const unsigned blocks = sum_blocks(n);
    launch(partial_sum_squares_kernel, blocks, kBlockThreads, kBlockThreads * sizeof(double), exec.stream, n, x,
           partial);
    launch(total_kernel, 1, kMostSumBlocks, kMostSumBlocks * sizeof(double), exec.stream, blocks, partial, result);
}

template void sgd_momentum(const Cuda&, int64_t, int64_t, const float*, float, float, const float*, float*, float*,
                           bfloat16*);
template size_t sum_squares_scratch_floats(const Cuda&, int64_t);
template void sum_squares(const Cuda&, int64_t, const float*, double*, float*);

}  // namespace kernels

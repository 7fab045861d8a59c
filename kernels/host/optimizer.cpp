#include "kernels/optimizer.h"

#include <algorithm>

#include "kernels/host/parallel.h"
#include "kernels/optimizer_body.h"

namespace kernels {
namespace {

// A partial sum covers this many elements, whatever the number of threads.
constexpr int64_t kSumBlock = 4096;

int64_t sum_blocks(int64_t n) {
    return (n + kSumBlock - 1) / kSumBlock;
}

template <bool Copy>
void update(int64_t begin, int64_t end, float learning_rate, float momentum, float weight_decay, const float* gradient,
            float* velocity, float* weight, bfloat16* copy) {
#pragma omp parallel for simd schedule(static) if (end - begin > kParallelElements)
    for (int64_t i = begin; i < end; ++i) {
        sgd_momentum_value(learning_rate, momentum, weight_decay, gradient[i], velocity[i], weight[i]);
        if constexpr (Copy) store(copy[i], weight[i]);
    }
}

}  // namespace

template <class Exec>
void sgd_momentum(const Exec&, int64_t n, int64_t decayed, const float* learning_rate, float momentum,
                  float weight_decay, const float* gradient, float* velocity, float* weight, bfloat16* copy) {
    const auto range = copy == nullptr ? update<false> : update<true>;
    range(0, decayed, *learning_rate, momentum, weight_decay, gradient, velocity, weight, copy);
    range(decayed, n, *learning_rate, momentum, 0.0f, gradient, velocity, weight, copy);
}

template <class Exec>
size_t sum_squares_scratch_floats(const Exec&, int64_t n) {
    return static_cast<size_t>(sum_blocks(n)) * (sizeof(double) / sizeof(float));
}

template <class Exec>
void sum_squares(const Exec&, int64_t n, const float* x, double* result, float* scratch) {
    double* partial = reinterpret_cast<double*>(scratch);
    const int64_t blocks = sum_blocks(n);
#pragma omp parallel for schedule(static) if (n > kParallelElements)
    for (int64_t block = 0; block < blocks; ++block) {
        double sum = 0.0;
        const int64_t end = std::min(n, (block + 1) * kSumBlock);
#pragma omp simd reduction(+ : sum)
        for (int64_t i = block * kSumBlock; i < end; ++i) sum += static_cast<double>(x[i]) * x[i];
        partial[block] = sum;
    }
    double total = 0.0;
    for (int64_t block = 0; block < blocks; ++block) total += partial[block];
    *result = total;
}

template void sgd_momentum(const Host&, int64_t, int64_t, const float*, float, float, const float*, float*, float*,
                           bfloat16*);
template size_t sum_squares_scratch_floats(const Host&, int64_t);
template void sum_squares(const Host&, int64_t, const float*, double*, float*);

}  // namespace kernels

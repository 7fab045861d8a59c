#include "kernels/optimizer.h"

#include <algorithm>

#include "kernels/host/parallel.h"
#include "kernels/host/target.h"
#include "kernels/optimizer_body.h"

namespace residual::kernels {
namespace {

// Elements per partial sum, independent of the number of threads.
constexpr int64_t kSumBlock = 4096;

int64_t sum_blocks(int64_t n) {
    return (n + kSumBlock - 1) / kSumBlock;
}

double sum_squares(int64_t begin, int64_t end, const float* x) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = begin; i < end; ++i) sum += static_cast<double>(x[i]) * x[i];
    return sum;
}

// Returns the sum of the checks.
template <bool Copy, bool Nesterov>
float update(int64_t begin, int64_t end, float rate, float momentum, float weight_decay, const float* gradient,
             float* velocity, float* weight, bfloat16* copy) {
    float checks = 0.0f;
#pragma omp simd reduction(+ : checks)
    for (int64_t i = begin; i < end; ++i) {
        sgd_momentum_value(rate, momentum, weight_decay, Nesterov, gradient[i], velocity[i], weight[i]);
        checks += finite_check(weight[i]);
        if constexpr (Copy) store(copy[i], weight[i]);
    }
    return checks;
}

}  // namespace

template <class Exec>
size_t sgd_momentum_scratch_floats(const Exec&, const SgdShape& shape) {
    return static_cast<size_t>(sum_blocks(shape.n)) * (sizeof(double) / sizeof(float));
}

template <class Exec>
void sgd_momentum(const Exec&, const SgdShape& shape, const Schedule& schedule, int64_t* step, const float* gradient,
                  float* velocity, float* weight, bfloat16* copy, Metrics* totals, const SumScratch& scratch) {
    const float rate = rate_of(schedule, *step);
    const auto range = shape.nesterov ? (copy == nullptr ? update<false, true> : update<true, true>)
                                      : (copy == nullptr ? update<false, false> : update<true, false>);
    double* partial = reinterpret_cast<double*>(scratch.floats);
    const int64_t blocks = sum_blocks(shape.n);
#pragma omp parallel for schedule(static) if (shape.n > kParallelElements)
    for (int64_t block = 0; block < blocks; ++block) {
        const int64_t begin = block * kSumBlock, end = std::min(shape.n, begin + kSumBlock);
        const int64_t middle = std::clamp(shape.decayed, begin, end);
        partial[block] = totals == nullptr ? 0.0 : sum_squares(begin, middle, weight);
        partial[block] +=
            range(begin, middle, rate, shape.momentum, shape.weight_decay, gradient, velocity, weight, copy);
        partial[block] += range(middle, end, rate, shape.momentum, 0.0f, gradient, velocity, weight, copy);
    }
    if (totals != nullptr) {
        double sum = 0.0;
        for (int64_t block = 0; block < blocks; ++block) sum += partial[block];
        finish_update(sum, shape, *step + 1, totals);
    }
    ++*step;
}

template size_t sgd_momentum_scratch_floats(const Target&, const SgdShape&);
template void sgd_momentum(const Target&, const SgdShape&, const Schedule&, int64_t*, const float*, float*, float*,
                           bfloat16*, Metrics*, const SumScratch&);

}  // namespace residual::kernels

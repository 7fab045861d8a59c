#include "kernels/linear.h"

#include <algorithm>
#include <cstdint>

#include "kernels/host/target.h"

namespace residual::kernels {

template <class Exec>
void add_bias(const Exec&, int rows, int columns, const float* bias, float* y) {
    for (int row = 0; row < rows; ++row) {
        float* target = y + int64_t{row} * columns;
#pragma omp simd
        for (int c = 0; c < columns; ++c) target[c] += bias[c];
    }
}

template <class Exec>
void column_sum(const Exec&, int rows, int columns, const float* x, float* y) {
    std::fill_n(y, columns, 0.0f);
    for (int row = 0; row < rows; ++row) {
        const float* source = x + int64_t{row} * columns;
#pragma omp simd
        for (int c = 0; c < columns; ++c) y[c] += source[c];
    }
}

template void add_bias(const Target&, int, int, const float*, float*);
template void column_sum(const Target&, int, int, const float*, float*);

}  // namespace residual::kernels

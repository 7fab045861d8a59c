#pragma once

#include <cstdint>

#include "kernels/exec.h"

namespace residual::kernels {

// Benchmark of the peak rate of mma.sync: products of bfloat16 on tensor cores with operands in registers. GPU only.

inline constexpr int kMatrixPeakThreads = 256;
// FLOPs per block and repetition: 8 warps, each with 2 x 4 products of 16x16 by 16x8; a multiply-add counts as two.
inline constexpr int64_t kMatrixPeakFlops = int64_t{8} * 2 * 4 * (2 * 16 * 16 * 8);

// Every warp computes `repeats` times, and accumulates, the products a_i b_j, i < 2, j < 4, of
//     a_i [16][16]: a_i[row][k]    = (5 row + 3 k + 2 i) mod 7 - 3
//     b_j [16][8]:  b_j[k][column] = (3 k + 2 column + j) mod 5 - 2
// sums [blocks * kMatrixPeakThreads]: the sum of each thread's elements of the eight results.
template <class Exec>
void matrix_peak(const Exec& exec, int blocks, int repeats, float* sums);

}  // namespace residual::kernels

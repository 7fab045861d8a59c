#pragma once

#include "kernels/exec.h"

namespace residual::kernels {

// y [rows, columns] += bias [columns]. Reads and writes y once.
template <class Exec>
void add_bias(const Exec& exec, int rows, int columns, const float* bias, float* y);

// x [rows, columns] -> y [columns], the sum over the rows in a fixed order. Reads x once.
template <class Exec>
void column_sum(const Exec& exec, int rows, int columns, const float* x, float* y);

}  // namespace residual::kernels

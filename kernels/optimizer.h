#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"

namespace kernels {

// Stochastic gradient descent with momentum on n float parameters:
//     velocity = momentum * velocity + gradient (+ weight_decay * weight for the first `decayed` elements)
//     weight  -= learning_rate[0] * velocity
// learning_rate [1] lies where the kernel runs, so that a recorded step can be replayed at another rate. copy, unless
// null, receives the weights rounded to bfloat16. Moves 20 n bytes, and 2 n for the copy.
template <class Exec>
void sgd_momentum(const Exec& exec, int64_t n, int64_t decayed, const float* learning_rate, float momentum,
                  float weight_decay, const float* gradient, float* velocity, float* weight, bfloat16* copy);

// Floats of scratch that sum_squares needs, aligned to 8 bytes.
template <class Exec>
size_t sum_squares_scratch_floats(const Exec& exec, int64_t n);

// result [1] = sum of x^2, in double and in a fixed order. Reads x once.
template <class Exec>
void sum_squares(const Exec& exec, int64_t n, const float* x, double* result, float* scratch);

}  // namespace kernels

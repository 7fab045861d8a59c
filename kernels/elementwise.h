#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"

namespace residual::kernels {

// Operations on n elements, T float or bfloat16. An output may be the same array as an input; otherwise they must not
// overlap.

// y = max(x, 0); a NaN stays NaN. Moves 2 n sizeof(T) bytes.
template <class Exec, class T>
void relu(const Exec& exec, int64_t n, const T* x, T* y);

// dx = dy where y > 0, else 0; y is the output of relu. Moves 3 n sizeof(T) bytes.
template <class Exec, class T>
void relu_backward(const Exec& exec, int64_t n, const T* y, const T* dy, T* dx);

// y = a + b, added in float and rounded once. Moves 3 n sizeof(T) bytes.
template <class Exec, class T>
void add(const Exec& exec, int64_t n, const T* a, const T* b, T* y);

// float -> bfloat16 (to nearest, ties to even) or bfloat16 -> float (exact). No overlap. Moves 6 n bytes.
template <class From, class To, class Exec>
void cast(const Exec& exec, int64_t n, const From* x, To* y);

// y = x * factor[0], all float; factor [1] is read by the kernel. Moves 8 n bytes.
template <class Exec>
void scale(const Exec& exec, int64_t n, const float* x, const float* factor, float* y);

// y = value. Writes n sizeof(T) bytes.
template <class Exec, class T>
void fill(const Exec& exec, int64_t n, std::type_identity_t<T> value, T* y);

}  // namespace residual::kernels

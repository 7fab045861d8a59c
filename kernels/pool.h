#pragma once

#include "kernels/bfloat16.h"
#include "kernels/exec.h"

namespace residual::kernels {

// The mean over all pixels, summed in float; T is float or bfloat16.
// x [batch, pixels, channels] -> y [batch, channels]. Reads x once.
template <class Exec, class T>
void global_average_pool(const Exec& exec, int batch, int pixels, int channels, const T* x, float* y);

// dy [batch, channels] -> dx [batch, pixels, channels] = dy / pixels. Writes dx once.
template <class Exec, class T>
void global_average_pool_backward(const Exec& exec, int batch, int pixels, int channels, const float* dy, T* dx);

}  // namespace residual::kernels

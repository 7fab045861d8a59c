#pragma once

#include <cstdint>

#include "kernels/exec.h"

namespace residual::kernels {

// Peak benchmark of the CPU's float32 multiply-adds, on registers of the target's width; instantiated for the host
// targets only. Runs `repeats` rounds of independent multiply-adds on every OpenMP thread and returns the number of
// floating-point operations, two per multiply-add. *value, between 0 and 1, is the initial value and receives one that
// depends on the result, so that the compiler can skip nothing.
template <class Exec>
double multiply_add_rounds(const Exec& exec, int64_t repeats, float* value);

}  // namespace residual::kernels

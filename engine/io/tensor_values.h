// The values of a tensor in a file as floating-point numbers.
#pragma once

#include <cstddef>

#include "engine/io/safetensors.h"

namespace residual {

// True for F16, BF16, F32 and F64.
bool is_floating(SafetensorsType type);

// Element `index`, without rounding. The type must be floating; the data need not be aligned.
double element(const TensorView& tensor, size_t index);

}  // namespace residual

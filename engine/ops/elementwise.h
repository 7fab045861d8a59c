// Elementwise operations.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

// max(x, 0).
Variable relu(Context& context, const Variable& x);

// a + b. Both must have the same shape and type.
Variable add(Context& context, const Variable& a, const Variable& b);

// x converted to `dtype`, float32 or bfloat16. Returns x itself if it already has that type.
Variable cast(Context& context, const Variable& x, DType dtype);

}  // namespace residual::ops

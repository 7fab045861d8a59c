// Operations on each element by itself.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

// max(x, 0).
Variable relu(Context& context, const Variable& x);

// a + b, of one shape and type.
Variable add(Context& context, const Variable& a, const Variable& b);

// x as `dtype`, float32 or bfloat16; x itself if it has that type.
Variable cast(Context& context, const Variable& x, DType dtype);

}  // namespace residual::ops

// The fully connected layer.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

// y [batch, out] = x [batch, in] * weight [out, in]^T + bias [out], all float32.
Variable linear(Context& context, const Variable& x, const Variable& weight, const Variable& bias);

}  // namespace residual::ops

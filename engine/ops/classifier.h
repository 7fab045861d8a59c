// The end of a pre-activation network.
#pragma once

#include "engine/ops/norm.h"

namespace engine::ops {

// norm of x [batch, height, width, channels], global average pool, and a linear layer: weight [classes, channels], bias
// [classes] -> logits [batch, classes], float32.
Variable classifier(Context& context, const Variable& x, const Norm& norm, const Variable& weight,
                    const Variable& bias);

}  // namespace engine::ops

// The end of a pre-activation network.
#pragma once

#include "engine/ops/batch_norm.h"

namespace residual::ops {

// batch norm of x [batch, height, width, channels], global average pool, and a linear layer: weight [classes,
// channels], bias [classes] -> logits [batch, classes], float32.
Variable classifier(Context& context, const Variable& x, const BatchNorm& batch_norm, const Variable& weight,
                    const Variable& bias);

}  // namespace residual::ops

// The last layers of a pre-activation network.
#pragma once

#include "engine/ops/batch_norm.h"

namespace residual::ops {

// linear(global_average_pool(batch_norm(x))): x [batch, height, width, channels], weight [classes, channels],
// bias [classes] -> logits [batch, classes] float32.
Variable classifier(Context& context, const Variable& x, const BatchNorm& batch_norm, const Variable& weight,
                    const Variable& bias);

}  // namespace residual::ops

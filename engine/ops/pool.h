// Pools, and the shortcuts without weights that are made of them.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

// x [batch, height, width, in] -> [batch, height', width', channels]: half the image by a 2x2 average pool (odd last
// rows and columns dropped) or by every second pixel (rounded up), and (channels - in) / 2 channels of zeros on each
// side (He et al. 2015, section 3.3, option A, for kSubsample). channels >= in.
Variable shortcut(Context& context, const Variable& x, ShortcutKind kind, int channels);

// Mean over the image: x [batch, height, width, channels] -> [batch, channels] float32.
Variable global_average_pool(Context& context, const Variable& x);

}  // namespace residual::ops

// Pooling, and the shortcuts without weights.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

// x [batch, height, width, in] -> [batch, height', width', channels]. Halves the image by 2x2 average pooling (drops an
// odd last row and column) or by taking every second pixel (rounds up), then pads the channels with zeros:
// (channels - in) / 2 before, the rest after. kSubsample is option A of He et al. 2015, section 3.3. channels >= in.
Variable shortcut(Context& context, const Variable& x, ShortcutKind kind, int channels);

// Mean over the image: x [batch, height, width, channels] -> [batch, channels] float32.
Variable global_average_pool(Context& context, const Variable& x);

}  // namespace residual::ops

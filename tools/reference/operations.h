// Shortcuts, global average pool and matrix product as plain loops in double precision; images are NHWC.
#pragma once

#include "tools/reference/values.h"

namespace residual::reference {

// A shortcut without weights: halves an image of even height and width, by the mean of 2x2 pixels if `pools`, else by
// taking every second row and column, and adds the same number of zero channels on both sides.
struct Shortcut {
    int width, channels, out_channels;
    bool pools;

    Values forward(const Values& x) const;
    Values backward(const Values& dy) const;
};

// The mean over the pixels of x [images, pixels, channels], and its gradient.
Values global_pool(const Values& x, size_t pixels, size_t channels);
Values global_pool_dx(const Values& dy, size_t pixels, size_t channels);

// op(a) [rows, k] * op(b) [k, columns]; op transposes if the flag is set.
Values matmul(const Values& a, bool transpose_a, const Values& b, bool transpose_b, size_t rows, size_t columns);
// x [rows, bias.size()] + bias.
Values add_bias(Values x, const Values& bias);
// Of x [rows, columns].
Values column_sums(const Values& x, size_t columns);

}  // namespace residual::reference

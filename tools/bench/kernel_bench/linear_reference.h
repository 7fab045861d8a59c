// Global average pool and linear layer as plain loops in double precision.
#pragma once

#include "tools/bench/kernel_bench/trial.h"

namespace residual::bench {

// Of x [rows, columns].
Values column_sums(const Values& x, size_t columns);
// The mean over the pixels of x [images, pixels, channels], and its gradient.
Values pooled_values(const Values& x, size_t pixels, size_t channels);
Values unpooled_values(const Values& dy, size_t pixels, size_t channels);

// y = x * weight^T without bias: x [rows, features], weight [classes, features], dy [rows, classes].
struct LinearReference {
    size_t rows, features, classes;

    Values forward(const Values& x, const Values& weight) const;
    Values dx(const Values& dy, const Values& weight) const;
    Values dw(const Values& x, const Values& dy) const;
};

}  // namespace residual::bench

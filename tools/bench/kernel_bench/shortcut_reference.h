// Shortcuts without weights as plain loops in double precision, NHWC.
#pragma once

#include "tools/bench/kernel_bench/trial.h"

namespace residual::bench {

// 2x2 average pool, then channels of zeros, half on each side; and every second pixel instead of the pool.
Values avgpool_pad_reference(const Values& x, int height, int width, int channels, int out_channels);
Values subsample_pad_reference(const Values& x, int height, int width, int channels, int out_channels);

}  // namespace residual::bench

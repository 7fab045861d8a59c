#pragma once

#include <cstdint>

namespace residual::kernels {

// Sums over the samples since the totals were zero. They live where the kernels run, so that a step needs no read-back.
struct Metrics {
    double cross_entropy;   // of the batch means, times the batch
    double weight_penalty;  // of 0.5 * weight_decay * |w|^2 at each step, times the batch
    int64_t correct;
    int64_t samples;
    int64_t diverged_at;  // updates done when the loss or an updated weight was first seen not to be finite; 0: never
};

}  // namespace residual::kernels

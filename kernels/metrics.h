#pragma once

#include <cstdint>

namespace residual::kernels {

// Sums over the samples since the last reset, in device memory, so that a step needs no read-back.
struct Metrics {
    double cross_entropy;   // batch mean * batch size
    double weight_penalty;  // 0.5 * weight_decay * |w|^2 * batch size
    int64_t correct;
    int64_t samples;
    int64_t diverged_at;  // updates done when the loss or a new weight was first found to be non-finite; 0: never
};

}  // namespace residual::kernels

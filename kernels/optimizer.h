#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"
#include "kernels/metrics.h"
#include "kernels/sum_scratch.h"

namespace residual::kernels {

// The learning rate, constant between increasing boundaries: step s uses values[number of boundaries <= s].
// boundaries [boundaries_count], values [boundaries_count + 1], both read by the kernel.
struct Schedule {
    const int64_t* boundaries;
    const float* values;
    int boundaries_count;
};

struct SgdShape {
    int64_t n;        // parameters
    int64_t decayed;  // the first `decayed` of them get weight decay
    float momentum, weight_decay;
    bool nesterov;
    int batch;  // samples per step; the totals receive the penalty times this
};

template <class Exec>
size_t sgd_momentum_scratch_floats(const Exec& exec, const SgdShape& shape);

// One update by stochastic gradient descent with momentum on n float parameters:
//     g        = gradient (+ weight_decay * weight for the first `decayed` elements)
//     velocity = momentum * velocity + g
//     weight  -= rate * velocity
// or, with Nesterov momentum (I. Sutskever et al. 2013, in PyTorch's form),
//     weight  -= rate * (g + momentum * velocity)
// `step` [1] holds the number of updates done; it selects the rate and is then incremented on the device, so that a
// recorded update can be replayed. copy, unless null, receives the new weights rounded to bfloat16.
//
// Unless totals is null, adds the penalty of the old weights to it, 0.5 * weight_decay * (sum of the squares of the
// first `decayed`) * batch, summed in double in a fixed order. If the cross-entropy in totals or any new weight is not
// finite, sets diverged_at to the number of updates done including this one, unless it is already set. A gradient or
// velocity that is not finite makes its weight not finite, even at rate 0, and the penalty of that step NaN.
//
// Moves 20 n bytes, and 2 n for the copy; one launch on a GPU.
template <class Exec>
void sgd_momentum(const Exec& exec, const SgdShape& shape, const Schedule& schedule, int64_t* step,
                  const float* gradient, float* velocity, float* weight, bfloat16* copy, Metrics* totals,
                  const SumScratch& scratch);

}  // namespace residual::kernels

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"
#include "kernels/metrics.h"
#include "kernels/sum_scratch.h"

namespace residual::kernels {

// The learning rate, constant between increasing boundaries: step s uses values[number of boundaries <= s].
// boundaries [boundaries_count], values [boundaries_count + 1], both in the kernel's memory.
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
    int batch;  // samples per step, the weight of the penalty in the totals
};

template <class Exec>
size_t sgd_momentum_scratch_floats(const Exec& exec, const SgdShape& shape);

// One step of stochastic gradient descent with momentum on n float parameters:
//     velocity = momentum * velocity + gradient (+ weight_decay * weight for the first `decayed` elements)
//     weight  -= rate * velocity
// or, with Nesterov's momentum in the form of Sutskever et al. 2013 that PyTorch uses, with the decay term included in
// the gradient,
//     weight  -= rate * (gradient + momentum * velocity)
// with the schedule's rate for step [1], which is then incremented, so that a recorded step can be replayed. copy,
// unless null, receives the weights rounded to bfloat16. The penalty of the weights before the update,
// 0.5 * weight_decay * (sum of the squares of the first `decayed`) * batch, is added to totals, unless null; it is
// summed in double in a fixed order. If the cross-entropy in totals or any new weight is not finite, diverged_at is set
// to step + 1 unless already set. A gradient or velocity that is not finite makes its weight not finite, even at
// rate 0, and the penalty of that step NaN. Moves 20 n bytes, and 2 n for the copy; one launch on a GPU.
template <class Exec>
void sgd_momentum(const Exec& exec, const SgdShape& shape, const Schedule& schedule, int64_t* step,
                  const float* gradient, float* velocity, float* weight, bfloat16* copy, Metrics* totals,
                  const SumScratch& scratch);

}  // namespace residual::kernels

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"
#include "kernels/metrics.h"
#include "kernels/sum_scratch.h"

namespace residual::kernels {

// The learning rate of each step, constant between rising boundaries: step s uses values[number of boundaries <= s].
// boundaries [boundaries_count], values [boundaries_count + 1]; both lie where the kernel runs.
struct Schedule {
    const int64_t* boundaries;
    const float* values;
    int boundaries_count;
};

struct SgdShape {
    int64_t n;        // parameters
    int64_t decayed;  // the first ones, which get weight decay
    float momentum, weight_decay;
    bool nesterov;
    int batch;  // images that a step stands for in the totals
};

template <class Exec>
size_t sgd_momentum_scratch_floats(const Exec& exec, const SgdShape& shape);

// One step of stochastic gradient descent with momentum on n float parameters:
//     velocity = momentum * velocity + gradient (+ weight_decay * weight for the first `decayed` elements)
//     weight  -= rate * velocity
// or, with Nesterov's momentum in the form of Sutskever et al. 2013 that PyTorch uses, decay counted in the gradient,
//     weight  -= rate * (gradient + momentum * velocity)
// with the schedule's rate for step [1], which then becomes step + 1: a recorded step can be replayed as it is. copy,
// unless null, receives the weights rounded to bfloat16. totals, unless null, grows by the penalty of the weights that
// were there before, 0.5 * weight_decay * (sum of the squares of the first `decayed`) * batch, summed in double and in
// a fixed order. Where the cross-entropy in totals or any of the n new weights is not finite, diverged_at becomes
// step + 1 unless it was set before. A gradient or velocity that is not finite makes its weight so, at rate 0 too, and
// the penalty of that step is NaN. Moves 20 n bytes, and 2 n for the copy; on a GPU it is one launch.
template <class Exec>
void sgd_momentum(const Exec& exec, const SgdShape& shape, const Schedule& schedule, int64_t* step,
                  const float* gradient, float* velocity, float* weight, bfloat16* copy, Metrics* totals,
                  const SumScratch& scratch);

}  // namespace residual::kernels

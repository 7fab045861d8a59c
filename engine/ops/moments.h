// Mean and variance of a batch, as variables: outputs of the operation that made the tensor, with ordinary gradients.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

// Of each channel (the last axis) of a tensor, both [channels] float32; the variance is the biased one.
struct Moments {
    Variable mean;
    Variable variance;
    int64_t rows = 0;  // Rows that they were computed over.
    // Computed from the very tensor that is normalised: a library may then return the whole gradient of that tensor.
    // False for others (merged over several tensors, or constants), which receive gradients of their own.
    bool own = false;

    bool defined() const { return mean.defined(); }
    BatchStats values() const { return {mean.value(), variance.value()}; }
    bool has_grad() const { return mean.has_grad() || variance.has_grad(); }
    // For the operation that made them; without a mean where they have no gradient.
    MomentsGradient gradient() const;
};

// Memory for the moments of a tensor of shape x.
Moments empty_moments(Backend& backend, const Shape& x, bool requires_grad);

// The moments of x.
Moments batch_stats(Context& context, const Variable& x);

// Contributes to the gradient of x what those of its moments bring: dmean / rows + 2 dvariance (x - mean) / rows.
void add_moments_gradient(Backend& backend, const Variable& x, const Moments& moments);

// For an operation whose outputs are y and, if defined, the moments of y: the gradient of y and what those of the
// moments bring to it. Undefined where none has a gradient.
Tensor whole_gradient(Backend& backend, const Variable& y, const Moments& moments);

}  // namespace residual::ops

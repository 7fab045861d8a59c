// Mean and variance of a batch as variables with gradients, so that batch norm needs no special case in the tape.
// "Moments" and "batch statistics" (BatchStats, stats) are the same numbers; moments are their form with gradients.
#pragma once

#include "engine/autograd/tape.h"

namespace residual::ops {

// Mean and biased variance of each channel (last axis) of a tensor, both [channels] float32.
struct Moments {
    Variable mean;
    Variable variance;
    int64_t rows = 0;  // Number of elements per channel.
    // True if these are the moments of the tensor that they normalise. The backward pass of batch norm may then include
    // the gradient through the moments in the gradient of that tensor. Otherwise (constants, moments merged over
    // several tensors) the moments are separate inputs and receive their own gradients.
    bool of_input = false;

    bool defined() const { return mean.defined(); }
    BatchStats values() const { return {mean.value(), variance.value()}; }
    bool has_grad() const { return mean.has_grad() || variance.has_grad(); }
    // For the operation that computed the moments. All members are undefined if the moments have no gradient.
    MomentsGradient gradient() const;
};

// Uninitialised moments for a tensor with shape `x`.
Moments empty_moments(Backend& backend, const Shape& x, bool requires_grad);

// Computes the moments of x.
Moments batch_stats(Context& context, const Variable& x);

// Adds dmean / rows + 2 dvariance (x - mean) / rows to the gradient of x.
void add_moments_gradient(Backend& backend, const Variable& x, const Moments& moments);

// The gradient of y including the terms from the gradients of its moments. Undefined if neither y nor the moments have
// a gradient.
Tensor whole_gradient(Backend& backend, const Variable& y, const Moments& moments);

}  // namespace residual::ops

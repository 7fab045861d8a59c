// Batch norm (Ioffe & Szegedy 2015), optionally followed by a residual addition and ReLU.
#pragma once

#include <functional>

#include "engine/ops/moments.h"

namespace residual::ops {

// Parameters and statistics of a batch norm. gamma, beta and the moments are [channels] float32.
struct BatchNorm {
    Variable gamma;
    Variable beta;
    Moments moments = {};  // Undefined: those of the tensor to normalise (training).
    float epsilon = 0;
    bool relu = false;
    Moments running = {};  // Running statistics to update when the batch norm is applied; undefined: none.
    float decay = 0;       // running = decay * running + (1 - decay) * moments

    // For a trace: the attributes.
    std::map<std::string, Attribute> attributes() const;
    // For a trace: `others`, then the variables of this batch norm.
    Trace::Operands operands(Trace::Operands others) const;

    BatchNormParams params() const {
        const BatchStats stats = moments.defined() ? moments.values() : BatchStats();
        return {stats, gamma.value(), beta.value(), epsilon, relu};
    }
    RunningUpdate running_update() const;
};

// Throws Error if a shape in `batch_norm` does not match the channels of x.
void check_batch_norm(const char* op, const BatchNorm& batch_norm, const Shape& x);

// Updates batch_norm.running, if defined, from batch_norm.moments.
void update_running(Backend& backend, const BatchNorm& batch_norm);

// y = [relu](gamma * (x - mean) / sqrt(variance + epsilon) + beta [+ residual]). x and residual are NHWC and have the
// same shape. Without moments it is batch_norm_training().
Variable batch_norm(Context& context, const Variable& x, const BatchNorm& batch_norm, const Variable& residual = {});

// Given the gradient dy of batch_norm(x) without residual, adds to the gradients of x, gamma and beta, and to those of
// the moments unless moments.of_input. `scratch` has the shape of x and may be dy; it is overwritten, and x may keep it
// as its gradient.
void batch_norm_backward(Backend& backend, const BatchNorm& batch_norm, const Variable& x, const Tensor& dy,
                         const Tensor& scratch);

// `batch_norm` with the moments of x if it has none, for operations that need them separately.
BatchNorm with_moments(Context& context, const Variable& x, BatchNorm batch_norm);

// Memory for the gradients of gamma, beta and, if `moments` is true, of the moments.
BatchNormGradients batch_norm_grad_targets(Backend& backend, const BatchNorm& batch_norm, bool moments);
// Adds those gradients to their variables.
void add_batch_norm_grads(Backend& backend, const BatchNorm& batch_norm, const BatchNormGradients& gradients);

// Transforms the moments of x before they are used, for example to merge them with those of other parts of the batch.
using MergeMoments = std::function<Moments(Context&, const Moments&)>;

// batch_norm() with the moments of x, in one operation. Ignores batch_norm.moments. With `merge` it runs three
// operations: batch_stats(), `merge`, and batch_norm() with the result.
Variable batch_norm_training(Context& context, const Variable& x, BatchNorm batch_norm, const Variable& residual = {},
                             const MergeMoments& merge = {});

}  // namespace residual::ops

// Batch norm (Ioffe & Szegedy 2015), alone or with what surrounds it in a residual unit.
#pragma once

#include <functional>

#include "engine/ops/moments.h"

namespace residual::ops {

// How to normalise a tensor of `channels` channels. gamma, beta and the moments are [channels] float32.
struct BatchNorm {
    Variable gamma;
    Variable beta;
    Moments moments = {};
    float epsilon = 0;
    bool relu = false;
    Moments running = {};  // Follows `moments` when the batch norm is applied; undefined: nothing does.
    float decay = 0;       // Share of `running` that stays.

    // What a trace shows of it: its numbers, and its variables together with `others`.
    std::map<std::string, Attribute> attributes() const;
    Trace::Operands operands(Trace::Operands others) const;

    BatchNormParams params() const { return {moments.values(), gamma.value(), beta.value(), epsilon, relu}; }
    RunningUpdate running_update() const;
};

// Throws Error if `batch norm` does not fit x.
void check_batch_norm(const char* op, const BatchNorm& batch_norm, const Shape& x);

// Moves batch_norm.running, if there is one.
void move_running(Backend& backend, const BatchNorm& batch_norm);

// y = [relu](gamma * (x - mean) / sqrt(variance + epsilon) + beta [+ residual]); x and residual NHWC of one shape.
Variable batch_norm(Context& context, const Variable& x, const BatchNorm& batch_norm, const Variable& residual = {});

// Contributes to the gradients of x, gamma and beta, from the gradient dy of batch_norm(x) without residual, and to
// those of the moments if they are not x's own. `scratch` has the shape of x, may be dy, and is overwritten or kept.
void batch_norm_backward(Backend& backend, const BatchNorm& batch_norm, const Variable& x, const Tensor& dy,
                         const Tensor& scratch);

// Where the backward of a batch norm writes what it brings to gamma, beta and, if `moments`, to those that it was
// given.
BatchNormGradients batch_norm_grad_targets(Backend& backend, const BatchNorm& batch_norm, bool moments);
// Contributes what was written there.
void add_batch_norm_grads(Backend& backend, const BatchNorm& batch_norm, const BatchNormGradients& gradients);

struct BatchNormResult {
    Variable y;
    Moments moments;  // Those used to normalise y.
};

// What becomes of the moments of x after they are computed and before they are used: an operation that, for example,
// merges those of several devices, each of which has a share of the batch.
using MergeMoments = std::function<Moments(Context&, const Moments&)>;

// Batch norm in training as one operation: the moments of x, and batch_norm() with them; batch_norm.moments is not
// read. With `merge` it is three: the moments, what `merge` makes of them, and batch_norm() with that.
BatchNormResult batch_norm_training(Context& context, const Variable& x, BatchNorm batch_norm,
                                    const Variable& residual = {}, const MergeMoments& merge = {});

}  // namespace residual::ops

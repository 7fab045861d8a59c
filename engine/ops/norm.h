// Batch norm (Ioffe & Szegedy 2015), alone or with what surrounds it in a residual unit.
#pragma once

#include "engine/autograd/tape.h"

namespace engine::ops {

// How to normalise a tensor of `channels` channels. gamma, beta and the statistics are [channels] float32. In training
// the statistics are those of the very tensor that is normalised, and the gradient flows through them.
struct Norm {
    Variable gamma;
    Variable beta;
    BatchStats stats;
    float epsilon;
    bool relu;
    BatchStats running = {};  // Moves towards `stats` when the norm is applied; undefined: nothing moves.
    float decay = 0;          // Share of `running` that stays.

    NormParams params() const { return {stats, gamma.value(), beta.value(), epsilon, relu}; }
};

// Moves norm.running, if there is one, for an application to x.
void move_running(Backend& backend, const Norm& norm, const Shape& x);

// To be called before the gradients of gamma and beta are added to. Throws Error if they have been already and the
// device fuses: a part of a gradient that was left to a producer (StatsGradient) may still need the sums of the first
// use.
void check_used_once(Backend& backend, const Norm& norm);

// Throws Error if `norm` does not fit x.
void check_norm(const char* op, const Norm& norm, const Shape& x);

// Memory for the statistics of a tensor of `channels` channels.
BatchStats empty_stats(Backend& backend, int64_t channels);

// Mean and biased variance of each channel (the last axis) of x.
BatchStats batch_stats(Context& context, const Variable& x);

// y = [relu](gamma * (x - mean) / sqrt(variance + epsilon) + beta [+ residual]); x and residual NHWC of one shape.
Variable norm(Context& context, const Variable& x, const Norm& norm, const Variable& residual = {});

// Contributes to the gradients of x, gamma and beta, from the gradient dy of norm(x) without residual. `scratch` has
// the shape of x, may be dy, and is overwritten or kept.
void norm_backward(Backend& backend, const Norm& norm, const Variable& x, const Tensor& dy, const Tensor& scratch);

}  // namespace engine::ops

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"
#include "kernels/sum_scratch.h"

namespace residual::kernels {

// Half of a pre-activation residual unit (He et al. 2016, Identity Mappings in Deep Residual Networks) in one pass over
// memory, forward and backward:
//
//     p = max(batch_norm(x), 0)        y = conv3x3(p) + residual        mean, variance of y
//
// bfloat16, NHWC; products on tensor cores with float32 sums. For the GPU alone (Exec = Cuda): elsewhere, and for other
// shapes, the engine composes the same result from the other families. docs/fused-step.md has the algebra.

struct BnReluConvShape {
    int batch, height, width;  // of x
    int in_channels, out_channels;
    int stride;
    int pad_top, pad_left;      // zeros before; behind the last row and column stand as many as the output needs
    int out_height, out_width;  // of y
};

// Channels 16, 32, 64, 16 -> 32 and 32 -> 64, strides 1 and 2, one pixel of padding at most on any side.
bool bn_relu_conv_supported(const BnReluConvShape& shape);
// Shared memory that a block of the hungriest kernel of this shape takes. A GPU that offers less (below
// sharedMemPerBlockOptin) cannot run it.
size_t bn_relu_conv_shared_bytes(const BnReluConvShape& shape);

// Of the tensor that is normalised, all [channels] float32.
struct BatchNormInput {
    const float* mean;
    const float* variance;
    const float* gamma;
    const float* beta;
    float epsilon;
};

// Running statistics that move with those of the batch (see update_running in batch_norm.h); null: they stay.
struct RunningStats {
    float* mean = nullptr;
    float* variance = nullptr;
    float decay = 0.0f;
};

// What is added to a convolution's result.
enum class ResidualKind {
    kNone,
    kIdentity,     // a tensor of y's shape
    kAveragePool,  // [batch, 2 out_height, 2 out_width, out_channels / 2]: 2x2 average pool, then out_channels / 4
                   // zeros before and behind on the channel axis
};

struct BnReluConvForward {
    const bfloat16* x;          // [batch, height, width, in]
    BatchNormInput batch_norm;  // of x; in evaluation the running statistics
    RunningStats running;
    const bfloat16* weight;  // [out, 3, 3, in]
    ResidualKind residual_kind;
    const bfloat16* residual;
    bfloat16* y;      // [batch, out_height, out_width, out], rounded once, after the residual has been added
    float* mean;      // [out] of y as stored; null: no statistics are made
    float* variance;  // [out], biased
    bfloat16* p;      // like x: the normalised input; null: it is not kept
};

template <class Exec>
size_t bn_relu_conv_forward_scratch_floats(const Exec& exec, const BnReluConvShape& shape);

// Reads x and the residual once (and a halo), writes y (and p) once.
template <class Exec>
void bn_relu_conv_forward(const Exec& exec, const BnReluConvShape& shape, const BnReluConvForward& f,
                          const SumScratch& scratch);

// The gradients of the mean and variance of a tensor t of `rows` rows, all [channels]. The operation that made t and
// its moments adds what they bring to t as it loads the gradient of t:
//     dt += dmean / rows + 2 * dvariance * (t - mean) / rows
struct MomentsGradient {
    const float* mean = nullptr;       // null: the moments have no gradient
    const float* dmean = nullptr;      // null: zeros
    const float* dvariance = nullptr;  // null: zeros
};

// What the backward of a normalisation writes per channel, all in one pass over the sums. g: the gradient behind the
// ReLU's mask, before rounding.
struct BatchNormGradients {
    float *dgamma, *dbeta;     // sums of g * xhat and of g
    float *dmean, *dvariance;  // of the moments that it was given, made of these sums; null: not wanted
};

struct BnReluConvBackward {
    const bfloat16* dy;       // like y: its gradient, with the moments of y held fixed
    const bfloat16* y;        // read only where its moments have a gradient
    MomentsGradient moments;  // of y
    const bfloat16* x;
    BatchNormInput batch_norm;  // of x, with the batch statistics
    const bfloat16* weight;
    const bfloat16* dp;  // like x: what else flows into p, added before the ReLU's mask; may be null
    bfloat16* dy_whole;  // like y, another place than dy: receives dy with what `moments` brings, rounded;
                         // may be null
    bfloat16* dx;        // like x: scale * (gradient of batch_norm(x)), the statistics of x held fixed
    bool accumulate;     // it is added to dx, in float32, rounded once
    float* dweight;      // [out, 3, 3, in], aligned to 8 bytes: float32 sums of products of bfloat16 operands
    BatchNormGradients batch_norm_gradients;  // [in]
};

template <class Exec>
size_t bn_relu_conv_backward_scratch_floats(const Exec& exec, const BnReluConvShape& shape);

// One kernel or two: see bn_relu_conv_backward_kernels().
template <class Exec>
void bn_relu_conv_backward(const Exec& exec, const BnReluConvShape& shape, const BnReluConvBackward& b,
                           const SumScratch& scratch);

// 1 where the data gradient and the weight gradient are one kernel, 2 where each has its own: what moves fewer bytes,
// with the partial sums of the weight gradient counted (docs/fused-step.md).
int bn_relu_conv_backward_kernels(const BnReluConvShape& shape);

}  // namespace residual::kernels

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"
#include "kernels/sum_scratch.h"

namespace residual::kernels {

// Batch norm, ReLU and convolution of a pre-activation residual unit (He et al. 2016, Identity Mappings in Deep
// Residual Networks) in one pass over memory, forward and backward:
//
//     p = max(batch_norm(x), 0)        y = conv3x3(p) + residual        mean, variance of y
//
// bfloat16, NHWC; products on tensor cores with float32 sums. GPU only (Exec = Cuda); on the host and for other shapes
// the engine runs the separate kernels of the other headers. docs/fused-step.md has the algebra.

struct BnReluConvShape {
    int batch, height, width;  // of x
    int in_channels, out_channels;
    int stride;
    int pad_top, pad_left;      // zero rows and columns before x; the padding after x follows from the size of y
    int out_height, out_width;  // of y
};

// Channels 16 -> 16, 32 -> 32, 64 -> 64, 16 -> 32 and 32 -> 64, strides 1 and 2, at most one pixel of padding on any
// side.
bool bn_relu_conv_supported(const BnReluConvShape& shape);
// The most shared memory that any kernel for this shape needs per block. A GPU with a smaller sharedMemPerBlockOptin
// cannot run it.
size_t bn_relu_conv_shared_bytes(const BnReluConvShape& shape);

// All [channels] float32.
struct BatchNormInput {
    const float* mean;
    const float* variance;
    const float* gamma;
    const float* beta;
    float epsilon;
};

// Running statistics to update from those of the batch (update_running in batch_norm.h); null: no update.
struct RunningStats {
    float* mean = nullptr;
    float* variance = nullptr;
    float decay = 0.0f;
};

// The tensor added to the result of the convolution.
enum class ResidualKind {
    kNone,
    kIdentity,     // a tensor of y's shape
    kAveragePool,  // [batch, 2 out_height, 2 out_width, out_channels / 2]: 2x2 average pool, then out_channels / 4
                   // zero channels before and after
};

struct BnReluConvForward {
    const bfloat16* x;          // [batch, height, width, in]
    BatchNormInput batch_norm;  // of x; in evaluation, mean and variance are the running statistics
    RunningStats running;
    const bfloat16* weight;  // [out, 3, 3, in]
    ResidualKind residual_kind;
    const bfloat16* residual;
    bfloat16* y;      // [batch, out_height, out_width, out], rounded once, after the residual is added
    float* mean;      // [out] of the rounded y; null: no statistics
    float* variance;  // [out], biased
    bfloat16* p;      // shaped as x; null: not stored
};

template <class Exec>
size_t bn_relu_conv_forward_scratch_floats(const Exec& exec, const BnReluConvShape& shape);

// Reads x (with a halo) and the residual once, writes y (and p) once.
template <class Exec>
void bn_relu_conv_forward(const Exec& exec, const BnReluConvShape& shape, const BnReluConvForward& f,
                          const SumScratch& scratch);

// The gradients of the mean and variance of a tensor t, all [channels]; t has rows = batch * height * width elements
// per channel. The backward kernel of the op that produced t and its moments adds their contribution when it loads dt,
// the gradient of t:
//     dt += dmean / rows + 2 * dvariance * (t - mean) / rows
struct MomentsGradient {
    const float* mean = nullptr;       // of t; null: the moments have no gradient
    const float* dmean = nullptr;      // null: zeros
    const float* dvariance = nullptr;  // null: zeros
};

// The per-channel outputs of the backward pass of a normalisation. g: the gradient after the ReLU's mask, before
// rounding.
struct BatchNormGradients {
    float *dgamma, *dbeta;     // sums of g * xhat and of g
    float *dmean, *dvariance;  // of the mean and variance used, computed from these sums; null: not computed
};

struct BnReluConvBackward {
    const bfloat16* dy;       // shaped as y: its gradient, with the moments of y held fixed
    const bfloat16* y;        // read only if its moments have a gradient
    MomentsGradient moments;  // of y
    const bfloat16* x;
    BatchNormInput batch_norm;  // of x, with the batch statistics
    const bfloat16* weight;
    const bfloat16* dp;  // shaped as x: gradient of p from the shortcut, added before the ReLU's mask; may be null
    bfloat16* dy_whole;  // output, not an alias of dy: dy plus the contribution of `moments`, rounded; may be null
    bfloat16* dx;        // shaped as x: gamma * rstd * g, the gradient with the statistics of x held fixed
    bool accumulate;     // add to dx; the sum is computed in float32 and rounded once
    float* dweight;      // [out, 3, 3, in], aligned to 8 bytes: float32 sums of products of bfloat16 operands
    BatchNormGradients batch_norm_gradients;  // [in]
};

template <class Exec>
size_t bn_relu_conv_backward_scratch_floats(const Exec& exec, const BnReluConvShape& shape);

// Computes all outputs of `b`. docs/fused-step.md has the bytes moved.
template <class Exec>
void bn_relu_conv_backward(const Exec& exec, const BnReluConvShape& shape, const BnReluConvBackward& b,
                           const SumScratch& scratch);

// 1 if one kernel computes both the data and the weight gradient, 2 if each has its own kernel: whichever moves fewer
// bytes, including the partial sums of the weight gradient (docs/fused-step.md).
int bn_relu_conv_backward_kernels(const BnReluConvShape& shape);

}  // namespace residual::kernels

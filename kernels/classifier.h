#pragma once

#include "kernels/bn_relu_conv.h"

namespace residual::kernels {

// The classifier of a pre-activation network in one kernel per direction: batch norm, ReLU, global average pool, linear
// layer. bfloat16 activations [batch, pixels, channels], everything else float32; GPU only.

struct ClassifierShape {
    int batch, pixels, channels, classes;
};

// channels: a multiple of 8, at most 256; at most 32 classes.
bool classifier_supported(const ClassifierShape& shape);

// pooled [batch, channels] = mean over the pixels of max(batch_norm(x), 0), logits [batch, classes] = pooled * weight^T
// + bias, weight [classes, channels]. Reads x once.
template <class Exec>
void classifier_forward(const Exec& exec, const ClassifierShape& shape, const bfloat16* x,
                        const BatchNormInput& batch_norm, const RunningStats& running, const float* weight,
                        const float* bias, float* pooled, float* logits);

template <class Exec>
size_t classifier_backward_scratch_floats(const Exec& exec, const ClassifierShape& shape);

struct ClassifierBackward {
    const float* dlogits;  // [batch, classes]
    const bfloat16* x;
    BatchNormInput batch_norm;
    const float *pooled, *weight;
    bfloat16* dx;                             // with the moments of x held fixed
    BatchNormGradients batch_norm_gradients;  // [channels]
    float *dweight, *dbias;
};

// Reads x once, writes dx once.
template <class Exec>
void classifier_backward(const Exec& exec, const ClassifierShape& shape, const ClassifierBackward& b,
                         const SumScratch& scratch);

}  // namespace residual::kernels

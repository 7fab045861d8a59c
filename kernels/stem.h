#pragma once

#include "kernels/bn_relu_conv.h"

namespace residual::kernels {

// The first convolution of a network: 3x3, stride 1, from the 3 channels of an image to 16, without batch norm;
// bfloat16, NHWC, GPU only. The 27 inputs of an output pixel form one row, padded to 32, of a matrix in shared memory.

struct StemShape {
    int batch, height, width;
    int pad_top, pad_left;  // 0 or 1; y has the size of x
};

inline constexpr int kStemInputs = 3;
inline constexpr int kStemOutputs = 16;

template <class Exec>
size_t stem_scratch_floats(const Exec& exec, const StemShape& shape);

// x [batch, height, width, 3], weight [16, 3, 3, 3] -> y [batch, height, width, 16] and, unless null, mean and variance
// [16] of the rounded y.
template <class Exec>
void stem_forward(const Exec& exec, const StemShape& shape, const bfloat16* x, const bfloat16* weight, bfloat16* y,
                  float* mean, float* variance, const SumScratch& scratch);

// dweight [16, 3, 3, 3] float32, from dy (the gradient of y with its moments held fixed) and the gradients of these
// moments. The image needs no gradient.
template <class Exec>
void stem_backward(const Exec& exec, const StemShape& shape, const bfloat16* dy, const bfloat16* y,
                   const MomentsGradient& moments, const bfloat16* x, float* dweight, const SumScratch& scratch);

}  // namespace residual::kernels

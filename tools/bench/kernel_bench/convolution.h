// The operands of a 3x3 convolution.
#pragma once

#include "tools/bench/kernel_bench/layers.h"
#include "tools/bench/kernel_bench/operands.h"
#include "tools/reference/convolution.h"

namespace residual::bench {

struct Convolution {
    Convolution(Operands& o, const Layer& layer);

    Shape output_image() const { return {params.out_height(), params.out_width(), params.out_channels}; }
    // Two per multiply-add, the zeros of the padding included; the same in each direction.
    double flops() const;
    Values forward(const Values& input) const { return reference::conv(distinct, input, *weight.values); }

    Operand x, weight;
    Conv2dParams params;
    reference::ConvShape distinct;  // With the distinct images as the batch.
};

}  // namespace residual::bench

// The operands of a 3x3 convolution.
#pragma once

#include "tools/bench/kernel_bench/layers.h"
#include "tools/bench/kernel_bench/operands.h"
#include "tools/reference/convolution.h"

namespace residual::bench {

struct Convolution {
    // Weights between -gain and gain.
    Convolution(Operands& o, const Layer& layer, double gain = 0.25);

    Shape output_image() const;
    // Two for each multiply-add, the zeros of the padding included; the same in each direction.
    double flops() const;

    Operand x, weight;
    Conv2dParams params;
    reference::ConvShape distinct;  // Of the images that differ.
};

}  // namespace residual::bench

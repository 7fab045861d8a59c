// Convolutions alone, by the backend's library.
#include "engine/ops/conv.h"
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/convolution.h"

namespace residual::bench {

Convolution::Convolution(Operands& o, const Layer& layer, double gain)
    : x(o.activation({layer.height, layer.width, layer.channels})),
      weight(o.parameter({layer.out_channels, 3, 3, layer.channels}, o.activations(), -gain, gain)),
      params(ops::conv_params(x.tensor.shape(), weight.tensor.shape(), layer.stride, ops::Padding::kSame)),
      distinct(reference::conv_shape(params, o.images())) {}

Shape Convolution::output_image() const {
    return {params.out_height(), params.out_width(), params.out_channels};
}

double Convolution::flops() const {
    return 2.0 * static_cast<double>(params.output_shape().elements()) * params.kernel * params.kernel *
           params.in_channels;
}

Trial conv2d(Operands& o, const Layer& layer) {
    const Convolution c(o, layer);
    const Tensor y = o.result(c.params.output_shape(), o.activations());
    return {[&backend = o.backend(), c, y] { backend.conv2d(c.params, c.x.tensor, c.weight.tensor, y); },
            {{"y", y, [c] { return reference::conv(c.distinct, *c.x.values, *c.weight.values); }}},
            bytes_of({c.x.tensor, c.weight.tensor, y}),
            c.flops()};
}

Trial conv2d_dx(Operands& o, const Layer& layer) {
    const Convolution c(o, layer);
    const Operand dy = o.activation(c.output_image());
    const Tensor dx = o.result_like(c.x.tensor);
    return {
        [&backend = o.backend(), c, dy, dx] { backend.conv2d_backward_data(c.params, dy.tensor, c.weight.tensor, dx); },
        {{"dx", dx, [c, dy] { return reference::conv_dx(c.distinct, *dy.values, *c.weight.values); }}},
        bytes_of({dy.tensor, c.weight.tensor, dx}),
        c.flops()};
}

Trial conv2d_dw(Operands& o, const Layer& layer) {
    const Convolution c(o, layer);
    const Operand dy = o.activation(c.output_image());
    const Tensor dw = o.result(c.params.weight_shape(), DType::kFloat32);
    return {
        [&backend = o.backend(), c, dy, dw] { backend.conv2d_backward_weight(c.params, c.x.tensor, dy.tensor, dw); },
        {{"dw", dw, [c, dy] { return reference::conv_dweight(c.distinct, *c.x.values, *dy.values); }, o.repeats()}},
        bytes_of({c.x.tensor, dy.tensor, dw}),
        c.flops()};
}

}  // namespace residual::bench

// Convolutions without batch norm, by the backend's library.
#include "engine/ops/conv.h"
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/convolution.h"

namespace residual::bench {

Convolution::Convolution(Operands& o, const Layer& layer)
    : x(o.activation(layer.image())),
      weight(o.parameter({layer.out_channels, 3, 3, layer.channels}, -0.25, 0.25, o.activations())),
      params(ops::conv_params(x.tensor.shape(), weight.tensor.shape(), layer.stride, ops::Padding::kSame)),
      distinct(reference::conv_shape(params, o.images())) {}

double Convolution::flops() const {
    return 2.0 * static_cast<double>(params.output_shape().elements()) * params.kernel * params.kernel *
           params.in_channels;
}

Trial conv2d(Operands& o, const Layer& layer) {
    const Convolution c(o, layer);
    const Tensor y = o.activation_result(c.output_image());
    return {[&backend = o.backend(), c, y] { backend.conv2d(c.params, c.x.tensor, c.weight.tensor, y); },
            {{"y", y, [c] { return c.forward(*c.x.values); }}},
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
    const Tensor dw = o.result(c.params.weight_shape());
    return {
        [&backend = o.backend(), c, dy, dw] { backend.conv2d_backward_weight(c.params, c.x.tensor, dy.tensor, dw); },
        {{"dw", dw, [c, dy] { return reference::conv_dweight(c.distinct, *c.x.values, *dy.values); }, o.repeats()}},
        bytes_of({c.x.tensor, dy.tensor, dw}),
        c.flops()};
}

}  // namespace residual::bench

// The first convolution of a network and the statistics of its output: as the sequence of the backend's operations that
// ops::conv composes, and fused.
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/convolution.h"

namespace residual::bench {

namespace {

struct Stem {
    Stem(Operands& o, const Layer& layer)
        : conv(o, layer), y(o.activation_result(conv.output_image())), stats(o.stats_result(layer.out_channels)) {}

    Trial trial(std::function<void()> run) const {
        const auto y_values = once([c = conv] { return c.forward(*c.x.values); });
        auto outputs = stats_outputs(stats, y_values);
        outputs.push_back({"y", y, y_values});
        return {std::move(run), std::move(outputs), bytes_of({conv.x.tensor, conv.weight.tensor, y}), conv.flops()};
    }

    Convolution conv;
    Tensor y;
    BatchStats stats;
};

FusedOps& fused_stem(Operands& o, const Convolution& conv) {
    return fused_ops(o.backend(), [&](FusedOps& fused) { return fused.has_stem(conv.params, o.activations()); });
}

}  // namespace

Trial stem(Operands& o, const Layer& layer) {
    const Stem s(o, layer);
    return s.trial([&backend = o.backend(), s] {
        backend.conv2d(s.conv.params, s.conv.x.tensor, s.conv.weight.tensor, s.y);
        backend.batch_stats(s.y, s.stats);
    });
}

Trial stem_fused(Operands& o, const Layer& layer) {
    const Stem s(o, layer);
    FusedOps& fused = fused_stem(o, s.conv);
    return s.trial([&fused, s] { fused.stem(s.conv.params, s.conv.x.tensor, s.conv.weight.tensor, s.y, s.stats); });
}

// Also reads y, to add the gradient through y's moments. In the composed form (conv2d_dw) the batch norm of the next
// layer has already added it.
Trial stem_dw_fused(Operands& o, const Layer& layer) {
    const Convolution c(o, layer);
    FusedOps& fused = fused_stem(o, c);
    const Operand y = o.activation(c.output_image()), dy = o.activation(c.output_image());
    const MomentsOperands moments = o.moments_of(y);
    const Tensor dw = o.result(c.params.weight_shape());
    return {[&fused, c, y, dy, moments, dw] {
                fused.stem_backward(c.params, c.x.tensor, y.tensor, dy.tensor, moments.gradient, dw);
            },
            {{"dw", dw,
              [c, y, dy, moments] { return reference::conv_dweight(c.distinct, *c.x.values, moments.whole(y, dy)); },
              o.repeats()}},
            bytes_of({c.x.tensor, y.tensor, dy.tensor, dw}),
            c.flops()};
}

}  // namespace residual::bench

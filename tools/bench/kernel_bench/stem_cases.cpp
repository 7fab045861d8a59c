// A network's first convolution: as a sequence of the backend's operations, as ops::conv composes it, and fused.
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/convolution.h"
#include "tools/bench/kernel_bench/fused_operands.h"

namespace residual::bench {

namespace {

// What both forms of the forward direction have in common.
struct Stem {
    Stem(Operands& o, const Layer& layer)
        : conv(o, layer),
          y(o.result(conv.params.output_shape(), o.activations())),
          stats(o.stats_result(layer.out_channels)) {}

    Trial trial(std::function<void()> run) const {
        const auto sum = once([c = conv] { return reference::conv(c.distinct, *c.x.values, *c.weight.values); });
        const auto reference = once([sum, c = conv.params.out_channels] { return reference::moments_of(sum(), c); });
        return {std::move(run),
                {{"y", y, [sum] { return sum(); }},
                 {"mean", stats.mean, [reference] { return reference().mean; }},
                 {"variance", stats.variance, [reference] { return reference().variance; }}},
                bytes_of({conv.x.tensor, conv.weight.tensor, y}),
                conv.flops()};
    }

    Convolution conv;
    Tensor y;
    BatchStats stats;
};

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
    FusedOps& fused = fused_ops(o.backend());
    if (!fused.has_stem(s.conv.params, o.activations())) throw NotOffered("no fused kernel for this shape");
    return s.trial([&fused, s] { fused.stem(s.conv.params, s.conv.x.tensor, s.conv.weight.tensor, s.y, s.stats); });
}

Trial stem_dw(Operands& o, const Layer& layer) {
    return conv2d_dw(o, layer);
}

// Also reads y, to add what the gradients of its moments bring; in the composed form that gradient is there
// already, because norm_backward of the next layer has read y for it.
Trial stem_dw_fused(Operands& o, const Layer& layer) {
    const Convolution c(o, layer);
    FusedOps& fused = fused_ops(o.backend());
    if (!fused.has_stem(c.params, o.activations())) throw NotOffered("no fused kernel for this shape");
    const Operand y = o.activation(c.output_image()), dy = o.activation(c.output_image());
    const MomentsOperands moments(o, y);
    const Tensor dw = o.result(c.params.weight_shape(), DType::kFloat32);
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

#include "engine/ops/conv.h"

#include <algorithm>
#include <limits>

#include "engine/ops/check.h"
#include "engine/ops/conv_impl.h"
#include "engine/ops/pool.h"

namespace residual::ops {

namespace {

struct Sides {
    int before, after;
};

Sides pad_sides(Padding padding, int size, int kernel, int stride) {
    if (padding == Padding::kSymmetric) return {(kernel - 1) / 2, (kernel - 1) / 2};
    const int out = (size + stride - 1) / stride;
    const int total = std::max((out - 1) * stride + kernel - size, 0);
    return {total / 2, total - total / 2};
}

// Whether the average pool of the fused operations maps `residual` to the shape of y.
bool pools_to(const Shape& residual, const Shape& y) {
    return residual.rank() == 4 && residual[0] == y[0] && residual[1] == 2 * y[1] && residual[2] == 2 * y[2] &&
           residual[3] * 2 == y[3];
}

void add_to_trace(Trace& trace, const ConvOperands& in, bool fused, const ConvResult& out) {
    const Conv2dParams& p = in.params;
    const BatchNorm batch_norm = in.batch_norm.value_or(BatchNorm{});
    auto attributes = in.batch_norm ? batch_norm.attributes() : std::map<std::string, Attribute>();
    attributes.insert({{"kernel", int64_t{p.kernel}},
                       {"stride", int64_t{p.stride}},
                       {"pad_top", int64_t{p.pad_top}},
                       {"pad_bottom", int64_t{p.pad_bottom}},
                       {"pad_left", int64_t{p.pad_left}},
                       {"pad_right", int64_t{p.pad_right}},
                       {"fused", fused}});
    if (in.pools_residual) attributes.emplace("residual_kind", "avgpool_zeropad");
    trace.add("conv", std::move(attributes),
              batch_norm.operands({{"x", in.x}, {"weight", in.weight}, {"residual", in.residual}}),
              {{"y", out.y}, {"mean", out.stats.mean}, {"variance", out.stats.variance}, {"p", out.p}});
}

}  // namespace

Conv2dParams conv_params(const Shape& x, const Shape& weight, int stride, Padding padding) {
    check_rank("conv", "x", x, 4);
    check_rank("conv", "weight", weight, 4);
    if (weight[3] != x[3]) {
        shape_error("conv", fmt::format("weight {} takes {} channels, but x {} has {}", weight.to_string(), weight[3],
                                        x.to_string(), x[3]));
    }
    if (weight[1] != weight[2] || weight[1] % 2 == 0) {
        shape_error("conv", fmt::format("the kernel of weight {} must be square and odd", weight.to_string()));
    }
    if (stride < 1) shape_error("conv", fmt::format("stride must be at least 1, but it is {}", stride));
    if (x.elements() == 0) shape_error("conv", fmt::format("x {} is empty", x.to_string()));
    const auto at = [](const Shape& shape, int axis) { return static_cast<int>(shape[axis]); };
    const Sides rows = pad_sides(padding, at(x, 1), at(weight, 1), stride);
    const Sides columns = pad_sides(padding, at(x, 2), at(weight, 2), stride);
    const Conv2dParams params{at(x, 0), at(x, 1),    at(x, 2),   at(x, 3),       at(weight, 0), at(weight, 1),
                              stride,   rows.before, rows.after, columns.before, columns.after};
    for (const Shape& image : {x, params.output_shape()}) {
        if (image.elements() <= std::numeric_limits<int32_t>::max()) continue;
        shape_error("conv",
                    fmt::format("a tensor {} has {} elements, more than the 2147483647 that a convolution supports; "
                                "choose a smaller batch",
                                image.to_string(), image.elements()));
    }
    return params;
}

std::vector<Variable> ConvResult::outputs() const {
    std::vector<Variable> all{y};
    if (stats.defined()) all.insert(all.end(), {stats.mean, stats.variance});
    if (p.defined()) all.push_back(p);
    return all;
}

ConvResult conv(Context& context, const Variable& x, const Variable& weight, const ConvOptions& options) {
    const Conv2dParams params = conv_params(x.shape(), weight.shape(), options.stride, options.padding);
    const DType dtype = x.value().dtype();
    check_dtype("conv", "weight", weight.value().dtype(), dtype);
    if (options.batch_norm) check_batch_norm("conv", *options.batch_norm, x.shape());
    RESIDUAL_ASSERT(options.batch_norm || !options.want_p);

    ConvOperands operands{params, x, weight, std::nullopt, options.residual};
    FusedOps* fused = context.backend.fused();
    const bool bn_relu_conv =
        fused != nullptr && options.batch_norm && options.batch_norm->relu && fused->has_bn_relu_conv(params, dtype);
    Variable p;  // The normalised input, if it is computed by an operation of its own.
    if (bn_relu_conv) {
        operands.batch_norm = with_moments(context, x, *options.batch_norm);
    } else if (options.batch_norm && options.batch_norm->moments.defined()) {
        operands.batch_norm = *options.batch_norm;
    } else if (options.batch_norm) {
        operands.x = p = batch_norm_training(context, x, *options.batch_norm);
    }
    if (options.residual.defined()) {
        const auto pools = [&] { return bn_relu_conv && pools_to(options.residual.shape(), params.output_shape()); };
        if (options.shortcut == ShortcutKind::kAveragePool && pools()) {
            operands.pools_residual = true;
        } else if (options.shortcut) {
            operands.residual = shortcut(context, options.residual, *options.shortcut, params.out_channels);
        }
        if (!operands.pools_residual) {
            check_shape("conv", "residual", operands.residual.shape(), params.output_shape());
            check_dtype("conv", "residual", operands.residual.value().dtype(), dtype);
        }
    }

    const bool bare = !options.batch_norm && !options.residual.defined() && !x.requires_grad();
    const bool stem = bare && fused != nullptr && fused->has_stem(params, dtype);
    const bool want_stats = options.want_stats && !context.backend.prefers_batch_norm_training();
    const bool want_p = options.want_p && !p.defined();
    ConvResult result = bn_relu_conv ? fused_bn_relu_conv(context, *fused, operands, want_stats, want_p)
                        : stem       ? fused_stem(context, *fused, operands, want_stats)
                                     : composed_conv(context, operands, want_stats, want_p);
    if (context.trace) add_to_trace(*context.trace, operands, bn_relu_conv || stem, result);
    if (options.want_p && p.defined()) result.p = p;
    return result;
}

}  // namespace residual::ops

#include "engine/ops/conv.h"

#include <algorithm>
#include <optional>

#include "engine/ops/check.h"

namespace engine::ops {

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

// What backward reads: the input and its norm (the normalised input is made again), the weight, and the results.
struct Saved {
    Conv2dParams params;
    Variable x, weight;
    std::optional<Norm> norm;
    Variable residual, y, p;
};

void backward(Backend& backend, const Saved& s) {
    const Tensor& dy = s.y.grad();
    const DType dtype = s.x.value().dtype();
    s.residual.add_grad(backend, dy);

    if (s.weight.requires_grad()) {
        Tensor input = s.x.value();
        if (s.p.defined()) {
            input = s.p.value();
        } else if (s.norm) {
            input = backend.empty(s.x.shape(), dtype);
            backend.norm(s.norm->params(), s.x.value(), {}, input);
        }
        s.weight.write_grad(backend, DType::kFloat32,
                            [&](const Tensor& dw) { backend.conv2d_backward_weight(s.params, input, dy, dw); });
    }

    if (!s.x.requires_grad() && !s.norm) return;
    const Tensor dinput = backend.empty(s.x.shape(), dtype);
    backend.conv2d_backward_data(s.params, dy, s.weight.value(), dinput);
    if (!s.norm) {
        s.x.add_grad(backend, dinput);
        return;
    }
    if (s.p.defined()) backend.add(dinput, s.p.grad(), dinput);
    norm_backward(backend, *s.norm, s.x, dinput, dinput);
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
    return {at(x, 0), at(x, 1),    at(x, 2),   at(x, 3),       at(weight, 0), at(weight, 1),
            stride,   rows.before, rows.after, columns.before, columns.after};
}

ConvResult conv(Context& context, const Variable& x, const Variable& weight, const ConvOptions& options) {
    const Conv2dParams params = conv_params(x.shape(), weight.shape(), options.stride, options.padding);
    const DType dtype = x.value().dtype();
    check_dtype("conv", "weight", weight.value().dtype(), dtype);
    if (options.norm) check_norm("conv", *options.norm, x.shape());
    const Variable& residual = options.residual;
    if (residual.defined()) {
        check_shape("conv", "residual", residual.shape(), params.output_shape());
        check_dtype("conv", "residual", residual.value().dtype(), dtype);
    }
    ASSERT(options.norm || !options.want_p);

    Backend& backend = context.backend;
    Tensor input = x.value();
    if (options.norm) {
        input = backend.empty(x.shape(), dtype);
        backend.norm(options.norm->params(), x.value(), {}, input);
    }
    const Tensor y = backend.empty(params.output_shape(), dtype);
    backend.conv2d(params, input, weight.value(), y);

    ConvResult result;
    if (options.want_stats) {
        const Shape channels{params.out_channels};
        result.stats = {backend.empty(channels, DType::kFloat32), backend.empty(channels, DType::kFloat32)};
    }
    if (residual.defined() && options.want_stats) {
        backend.add_batch_stats(residual.value(), y, result.stats);
    } else if (residual.defined()) {
        backend.add(y, residual.value(), y);
    } else if (options.want_stats) {
        backend.batch_stats(y, result.stats);
    }

    const bool records = context.records(x, weight, residual) ||
                         (options.norm && context.records(options.norm->gamma, options.norm->beta));
    result.y = Variable(y, records);
    if (options.want_p) result.p = Variable(input, records);
    if (records) {
        Saved saved{params, x, weight, std::nullopt, residual, result.y, result.p};
        if (options.norm) saved.norm = *options.norm;
        std::vector<Variable> outputs{result.y};
        if (options.want_p) outputs.push_back(result.p);
        context.tape->record(std::move(outputs), [&backend, saved] { backward(backend, saved); });
    }
    return result;
}

}  // namespace engine::ops

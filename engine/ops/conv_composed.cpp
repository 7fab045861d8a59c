// ops::conv composed of the operations that every backend has.
#include "engine/ops/conv_impl.h"

namespace residual::ops {

namespace {

// The input of the convolution. A normalised input that is not an output is recomputed, because storing it would take
// as much memory as x.
Tensor input_of(Backend& backend, const ConvOperands& in, const Variable& p) {
    if (p.defined()) return p.value();
    if (!in.batch_norm) return in.x.value();
    const Tensor input = backend.empty(in.x.shape(), in.x.value().dtype());
    backend.batch_norm(in.batch_norm->params(), in.x.value(), {}, input);
    return input;
}

void backward(Backend& backend, const ConvOperands& in, const ConvResult& out) {
    const Variable& p = out.p;
    const Tensor dy = whole_gradient(backend, out.y, out.stats);
    const bool input_learns = in.x.requires_grad() || in.batch_norm;
    Tensor dinput;  // Gradient of the input of the convolution.
    if (dy.defined()) {
        in.residual.add_grad(backend, dy);
        if (in.weight.requires_grad()) {
            const Tensor dw = in.weight.grad_target(backend);
            backend.conv2d_backward_weight(in.params, input_of(backend, in, p), dy, dw);
            in.weight.add_grad(backend, dw);
        }
        if (input_learns) {
            dinput = backend.empty(in.x.shape(), in.x.value().dtype());
            backend.conv2d_backward_data(in.params, dy, in.weight.value(), dinput);
        }
    }
    if (!in.batch_norm) {
        if (dinput.defined()) in.x.add_grad(backend, dinput);
        return;
    }
    if (p.has_grad() && dinput.defined()) backend.add(dinput, p.grad(), dinput);
    const Tensor scratch = dinput.defined() ? dinput : backend.empty(in.x.shape(), in.x.value().dtype());
    batch_norm_backward(backend, *in.batch_norm, in.x, dinput.defined() ? dinput : p.grad(), scratch);
}

}  // namespace

ConvResult composed_conv(Context& context, const ConvOperands& operands, bool want_stats, bool want_p) {
    Backend& backend = context.backend;
    const auto& [params, x, weight, batch_norm, residual, pools_residual] = operands;
    RESIDUAL_ASSERT(!pools_residual);
    const DType dtype = x.value().dtype();
    Tensor input = x.value();
    if (batch_norm) {
        update_running(backend, *batch_norm);
        input = backend.empty(x.shape(), dtype);
        backend.batch_norm(batch_norm->params(), x.value(), {}, input);
    }
    const Tensor y = backend.empty(params.output_shape(), dtype);
    backend.conv2d(params, input, weight.value(), y);

    const bool records = operands.must_record(context);
    ConvResult result{.y = Variable(y, records)};
    if (want_stats) result.stats = empty_moments(backend, y.shape(), records);
    if (want_p) result.p = Variable(input, records);
    if (residual.defined() && want_stats) {
        backend.add_batch_stats(residual.value(), y, result.stats.values());
    } else if (residual.defined()) {
        backend.add(y, residual.value(), y);
    } else if (want_stats) {
        backend.batch_stats(y, result.stats.values());
    }

    if (records) {
        context.tape->record(result.outputs(), [&backend, operands, result] { backward(backend, operands, result); });
    }
    return result;
}

}  // namespace residual::ops

// A convolution, and what surrounds it, from the operations that every backend has.
#include "engine/ops/conv_forms.h"

namespace engine::ops {

namespace {

// What backward reads: the operands (the normalised input is made again) and the results.
struct Saved {
    ConvOperands in;
    Variable y, p;
};

void backward(Backend& backend, const Saved& s) {
    const ConvOperands& in = s.in;
    const Tensor& dy = s.y.grad();
    const DType dtype = in.x.value().dtype();
    in.residual.add_grad(backend, dy);

    if (in.weight.requires_grad()) {
        Tensor input = in.x.value();
        if (s.p.defined()) {
            input = s.p.value();
        } else if (in.norm) {
            input = backend.empty(in.x.shape(), dtype);
            backend.norm(in.norm->params(), in.x.value(), {}, input);
        }
        in.weight.write_grad(backend, DType::kFloat32,
                             [&](const Tensor& dw) { backend.conv2d_backward_weight(in.params, input, dy, dw); });
    }

    if (!in.x.requires_grad() && !in.norm) return;
    const Tensor dinput = backend.empty(in.x.shape(), dtype);
    backend.conv2d_backward_data(in.params, dy, in.weight.value(), dinput);
    if (!in.norm) {
        in.x.add_grad(backend, dinput);
        return;
    }
    if (s.p.defined()) backend.add(dinput, s.p.grad(), dinput);
    norm_backward(backend, *in.norm, in.x, dinput, dinput);
}

}  // namespace

ConvResult composed_conv(Context& context, const ConvOperands& operands, bool want_stats, bool want_p) {
    Backend& backend = context.backend;
    const auto& [params, x, weight, norm, residual, pools_residual] = operands;
    ASSERT(!pools_residual);
    const DType dtype = x.value().dtype();
    Tensor input = x.value();
    if (norm) {
        move_running(backend, *norm, x.shape());
        input = backend.empty(x.shape(), dtype);
        backend.norm(norm->params(), x.value(), {}, input);
    }
    const Tensor y = backend.empty(params.output_shape(), dtype);
    backend.conv2d(params, input, weight.value(), y);

    ConvResult result;
    if (want_stats) result.stats = empty_stats(backend, params.out_channels);
    if (residual.defined() && want_stats) {
        backend.add_batch_stats(residual.value(), y, result.stats);
    } else if (residual.defined()) {
        backend.add(y, residual.value(), y);
    } else if (want_stats) {
        backend.batch_stats(y, result.stats);
    }

    const bool records = operands.recorded(context);
    result.y = Variable(y, records);
    if (want_p) result.p = Variable(input, records);
    if (records) {
        const Saved saved{operands, result.y, result.p};
        std::vector<Variable> outputs{result.y};
        if (want_p) outputs.push_back(result.p);
        context.tape->record(std::move(outputs), [&backend, saved] { backward(backend, saved); });
    }
    return result;
}

}  // namespace engine::ops

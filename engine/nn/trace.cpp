#include "engine/nn/trace.h"

namespace residual::nn {

Trace trace_forward(Backend& backend, const Module& model, const Parameters& parameters, const Tensor& images,
                    bool training) {
    Trace trace;
    for (const auto& parameter : parameters.parameters()) trace.set_name(parameter->variable, parameter->name);
    for (const auto& buffer : parameters.buffers()) trace.set_name(buffer->variable, buffer->name);
    Context context{backend, nullptr, training, &trace};
    const Variable input(images, false);
    trace.set_input(input);
    trace.set_output(model.forward(context, input));
    return trace;
}

}  // namespace residual::nn

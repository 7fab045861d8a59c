// Helpers for testing one operation on the tape: upstream gradients, and views on the way to a scalar loss.
#pragma once

#include <utility>
#include <vector>

#include "engine/autograd/tape.h"
#include "tests/support/array.h"

namespace test {

using residual::Context;
using residual::Tape;
using residual::Variable;

// Runs the tape of `context` backward from the given upstream gradients.
inline void backward_from(Context& context, std::vector<std::pair<Variable, Tensor>> gradients) {
    Backend& backend = context.backend;
    const Variable loss(backend.zeros({1}, DType::kFloat32), true);
    context.tape->record({loss}, [&backend, gradients = std::move(gradients)] {
        for (const auto& [variable, gradient] : gradients) variable.add_grad(backend, gradient);
    });
    context.tape->backward(backend, loss);
}

// View of x [..., channels] as a matrix [rows, channels].
inline Variable as_rows(Context& context, const Variable& x) {
    const int64_t channels = x.shape()[-1];
    const Shape matrix{x.shape().elements() / channels, channels};
    const Variable out(x.value().view(0, matrix), context.records(x));
    if (out.requires_grad()) {
        context.tape->record(
            {out}, [&backend = context.backend, x, out] { x.add_grad(backend, out.grad().view(0, x.shape())); });
    }
    return out;
}

inline Array grad_of(Backend& backend, const Variable& x) {
    return download(backend, x.grad());
}

}  // namespace test

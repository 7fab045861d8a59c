// Compares the tape's gradients with central differences of a scalar loss.
#pragma once

#include <functional>

#include "tests/support/record.h"

namespace test {

// Computes a float32 scalar loss from the leaves.
using LossOf = std::function<Variable(Context&, const std::vector<Variable>&)>;

struct Differences {
    double step = 1e-2;
    DType dtype = DType::kFloat32;  // of the leaves; in bfloat16, values and step must be exact
};

// For each leaf, the relative L2 error of the tape's gradient against the central differences of all elements.
inline std::vector<double> gradient_errors(Backend& backend, const std::vector<Array>& leaves, const LossOf& loss_of,
                                           const Differences& options = {}) {
    const auto variables = [&](const std::vector<Array>& arrays, bool requires_grad) {
        std::vector<Variable> all;
        for (const Array& array : arrays) all.emplace_back(upload(backend, array, options.dtype), requires_grad);
        return all;
    };
    const auto loss_at = [&](const std::vector<Array>& arrays) {
        Context context{backend, nullptr, true};
        return download(backend, loss_of(context, variables(arrays, false)).value()).values[0];
    };

    Tape tape;
    Context context{backend, &tape, true};
    const auto inputs = variables(leaves, true);
    tape.backward(backend, loss_of(context, inputs));

    std::vector<double> errors;
    for (size_t leaf = 0; leaf < leaves.size(); ++leaf) {
        Array differences(leaves[leaf].shape);
        for (size_t i = 0; i < differences.values.size(); ++i) {
            std::vector<Array> above = leaves, below = leaves;
            above[leaf].values[i] += options.step;
            below[leaf].values[i] -= options.step;
            differences.values[i] = (loss_at(above) - loss_at(below)) / (2 * options.step);
        }
        errors.push_back(relative_error(grad_of(backend, inputs[leaf]), differences));
    }
    return errors;
}

}  // namespace test

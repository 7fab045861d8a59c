// One copy of the operands of a case, what is done with them, and what must come out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/tensor.h"
#include "tools/reference/values.h"

namespace residual::bench {

using reference::plus;
using reference::Values;

// A result. Element i must be expected()[i % size] * factor: a batch repeats a few images, which alone are computed
// in double precision; statistics stay as they are and sums grow by the factor.
struct Output {
    std::string name;
    Tensor tensor;
    std::function<Values()> expected;
    double factor = 1.0;
};

struct Trial {
    std::function<void()> run;
    std::vector<Output> outputs;
    double bytes;                   // That must move at least: each operand read once, each result written once.
    double flops = 0.0;             // Of products, two for each multiply-add; 0 where none are worth counting.
    std::vector<Tensor> kept = {};  // Memory that run() uses by pointer.
};

// A function of no arguments that computes its result at the first call and keeps it, whoever holds a copy.
template <class F>
auto once(F compute) {
    using Result = decltype(compute());
    return [compute, kept = std::make_shared<std::optional<Result>>()]() -> const Result& {
        if (!*kept) *kept = compute();
        return **kept;
    };
}

}  // namespace residual::bench

// A trial: one operation on one copy of a case's operands, and the results it must produce.
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

// A result. Element i must be expected()[i % size] * factor: a batch repeats a few distinct images, and the reference
// computes only those. The factor is the number of repeats for sums over the batch, 1 for statistics.
struct Output {
    std::string name;
    Tensor tensor;
    std::function<Values()> expected;
    double factor = 1.0;
};

struct Trial {
    std::function<void()> run;
    std::vector<Output> outputs;
    double bytes;        // The least traffic: each operand read once, each result written once.
    double flops = 0.0;  // Of products, two per multiply-add; 0 if there are none worth counting.
};

// A function that calls compute() once and keeps the result, which all of its copies share.
template <class F>
auto once(F compute) {
    using Result = decltype(compute());
    return [compute, kept = std::make_shared<std::optional<Result>>()]() -> const Result& {
        if (!*kept) *kept = compute();
        return **kept;
    };
}

}  // namespace residual::bench

// Compares the results of a case with the reference.
#pragma once

#include <string>

#include "tools/bench/kernel_bench/operands.h"

namespace residual::bench {

struct Verdict {
    // The largest difference of an element from its expected value, divided by the root mean square of the expected
    // values of its tensor; infinite for a NaN and for a wrong integer.
    double error;
    std::string output;  // The output with that element.
    bool right;
};

// Runs the trial once and compares every element of every output.
Verdict check(Backend& backend, const Trial& trial, DType activations);

}  // namespace residual::bench

// Whether a case computes what it should.
#pragma once

#include <string>

#include "tools/bench/kernel_bench/operands.h"

namespace residual::bench {

struct Verdict {
    // The largest difference of an element from its expectation, over the root mean square of what is expected of its
    // tensor; infinite for a NaN and for a wrong integer.
    double error;
    std::string output;  // Where it was found.
    bool right;
};

// Runs the trial once and compares all elements of all results.
Verdict check(Backend& backend, const Trial& trial, DType activations);

}  // namespace residual::bench

// Reverse-mode automatic differentiation. Each operation records a closure that propagates gradients from its outputs
// to its inputs; backward() runs the closures from last to first.
#pragma once

#include <functional>
#include <vector>

#include "engine/autograd/trace.h"
#include "engine/autograd/variable.h"

namespace residual {

class Tape {
  public:
    // `backward` reads the gradients of `outputs` and adds to those of the operation's inputs. It runs at most once,
    // and only if at least one output has a gradient; the closure of an operation with several outputs must check
    // has_grad() of each.
    void record(std::vector<Variable> outputs, std::function<void()> backward);

    // Computes the gradient of `loss` (one float32) with respect to every variable it depends on. Each closure is
    // destroyed as soon as it has run, which frees the tensors it captured. The tape is empty afterwards.
    void backward(Backend& backend, const Variable& loss);

  private:
    struct Record {
        std::vector<Variable> outputs;
        std::function<void()> backward;
    };
    std::vector<Record> records_;
};

// The state that every operation receives besides its operands.
struct Context {
    Backend& backend;
    Tape* tape = nullptr;    // Null: nothing is recorded.
    bool training = false;   // Selects batch statistics in batch norm; false: running statistics.
    Trace* trace = nullptr;  // Null: no trace.

    // Whether an operation on these inputs must be recorded.
    template <class... Inputs>
    bool records(const Inputs&... inputs) const {
        return tape != nullptr && (inputs.requires_grad() || ...);
    }
};

}  // namespace residual

// Reverse-mode differentiation by a tape: each operation appends how to run itself backwards, and backward() replays
// the closures from last to first. The tape knows no operation and no network.
#pragma once

#include <functional>
#include <vector>

#include "engine/autograd/trace.h"
#include "engine/autograd/variable.h"

namespace residual {

class Tape {
  public:
    // `backward` reads the gradients of `outputs` and contributes to those of its inputs. It runs once, and only if
    // some output received a gradient; where there are several outputs it asks each for has_grad().
    void record(std::vector<Variable> outputs, std::function<void()> backward);

    // Gradients of the scalar `loss` (one float32) with respect to everything it was computed from. Each closure is
    // dropped, with the tensors it kept, as soon as it has run. The tape is empty afterwards.
    void backward(Backend& backend, const Variable& loss);

  private:
    struct Record {
        std::vector<Variable> outputs;
        std::function<void()> backward;
    };
    std::vector<Record> records_;
};

// What an operation needs besides its operands.
struct Context {
    Backend& backend;
    Tape* tape = nullptr;    // None: nothing is recorded.
    bool training = false;   // Whether this is a pass of training.
    Trace* trace = nullptr;  // Records each operation; null: no trace.

    // Whether an operation on these inputs has to be recorded.
    template <class... Inputs>
    bool records(const Inputs&... inputs) const {
        return tape != nullptr && (inputs.requires_grad() || ...);
    }
};

}  // namespace residual

// A tensor that takes part in differentiation. Copies share the tensor and its gradient.
#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace residual {

class Variable {
  public:
    Variable() = default;  // No tensor: defined() is false.
    Variable(Tensor value, bool requires_grad);
    // A parameter whose gradient lives at a fixed place, `grad`, of the shape of `value`.
    Variable(Tensor value, Tensor grad);

    bool defined() const { return slot_ != nullptr; }
    const Tensor& value() const { return slot_->value; }
    const Shape& shape() const { return slot_->value.shape(); }
    bool requires_grad() const { return slot_ && slot_->requires_grad; }

    // The same for all copies of a variable, and never reused, even after the variable is gone.
    using Identity = std::weak_ptr<const void>;
    Identity identity() const { return slot_; }

    bool has_grad() const { return slot_ && slot_->has_grad; }
    // The gradient gathered so far; has_grad() must hold.
    const Tensor& grad() const;
    // Forgets the gradient. A fixed place keeps its memory; its content no longer counts.
    void clear_grad() const;

    // ---- how an operation contributes to the gradient of an input; where none is required, nothing happens

    // Adds a tensor that the caller has made: the first one is kept as it is, without a copy, so that the caller must
    // not write to it any more, and a later one that finds the memory shared makes a new sum.
    void add_grad(Backend& backend, const Tensor& grad) const;

    // Memory of type `dtype` for a gradient that is then given to add_grad(): the fixed place, where there is one and
    // it is free.
    Tensor grad_target(Backend& backend, DType dtype) const;

    // Adds what `write(target, accumulate)` produces, by a kernel that writes all of `target` or, where `accumulate` is
    // set, adds to it, which saves the pass over memory of a later sum; `scratch`, memory of the gradient's shape and
    // type, may become the target and is then kept.
    template <class Write>
    void accumulate_grad(Backend& backend, const Tensor& scratch, Write write) const;

  private:
    struct Slot {
        Tensor value;
        Tensor grad;
        bool requires_grad = false;
        bool has_grad = false;
        bool fixed_grad = false;
    };

    std::shared_ptr<Slot> slot_;
};

template <class Write>
void Variable::accumulate_grad(Backend& backend, const Tensor& scratch, Write write) const {
    if (!requires_grad()) return;
    if (slot_->has_grad && (slot_->fixed_grad || slot_->grad.unique())) {
        write(slot_->grad, true);
    } else {
        write(scratch, false);
        add_grad(backend, scratch);
    }
}

}  // namespace residual

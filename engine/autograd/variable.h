// A tensor with an optional gradient. Copies of a Variable share both.
#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace residual {

class Variable {
  public:
    Variable() = default;  // Undefined.
    Variable(Tensor value, bool requires_grad);
    // A parameter with a fixed gradient tensor: its gradient is always stored in `grad`, which must have the shape of
    // `value`.
    Variable(Tensor value, Tensor grad);

    bool defined() const { return slot_ != nullptr; }
    const Tensor& value() const { return slot_->value; }
    const Shape& shape() const { return slot_->value.shape(); }
    bool requires_grad() const { return slot_ && slot_->requires_grad; }

    // Equal for all copies of a variable. Never reused, even after the variable is destroyed.
    using Identity = std::weak_ptr<const void>;
    Identity identity() const { return slot_; }

    bool has_grad() const { return slot_ && slot_->has_grad; }
    // The gradient accumulated so far. Requires has_grad().
    const Tensor& grad() const;
    // Discards the gradient. A fixed gradient tensor keeps its memory, but its content is ignored.
    void clear_grad() const;

    // ---- For operations, to add to the gradient of an input. Nothing is added if the variable requires no gradient.

    // Adds `grad`. The first gradient is stored without a copy, so the caller must not write to it afterwards. Adding
    // to a gradient whose memory is shared allocates a new tensor for the sum.
    void add_grad(Backend& backend, const Tensor& grad) const;

    // float32 memory in which to compute a gradient before passing it to add_grad(): the fixed gradient tensor if there
    // is one and it is unused, else a new tensor.
    Tensor grad_target(Backend& backend) const;

    // Adds a gradient that a kernel writes. Calls `write(target, accumulate)` once. `write` must add to `target` if
    // `accumulate` is true, which saves a separate addition, and overwrite it otherwise. `scratch` has the gradient's
    // shape and type; the variable may keep it. `write` runs even if no gradient is required here, because the kernel
    // may compute other gradients too.
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
    if (has_grad() && (slot_->fixed_grad || slot_->grad.unique())) {
        write(slot_->grad, true);
    } else {
        write(scratch, false);
        add_grad(backend, scratch);
    }
}

}  // namespace residual

// A tensor that takes part in differentiation. Copies share the tensor and its gradient.
#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace engine {

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
    bool has_grad() const { return slot_->has_grad; }
    // The gradient gathered so far; has_grad() must hold.
    const Tensor& grad() const;

    // Forgets the gradient. A fixed place keeps its memory; its content no longer counts.
    void clear_grad() const;

    // Adds `grad` to the gradient. The first contribution is kept as it is (no copy), so the caller must not write to
    // it any more; a later one that finds the memory shared makes a new sum.
    void add_grad(Backend& backend, const Tensor& grad) const;

    // Adds what `write(target, accumulate)` produces: all of `target`, or, where `accumulate` is set, a sum with what
    // stands there; this saves the pass over memory that add_grad() would need. `scratch`, memory of the gradient's
    // shape and type, may become the target and is then kept.
    template <class Write>
    void accumulate_grad(Backend& backend, const Tensor& scratch, Write write) const;

    // Adds what `write(target)` produces, a gradient of type `dtype`, where possible straight at its fixed place.
    template <class Write>
    void write_grad(Backend& backend, DType dtype, Write write) const;

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

template <class Write>
void Variable::write_grad(Backend& backend, DType dtype, Write write) const {
    if (!requires_grad()) return;
    if (slot_->fixed_grad && !slot_->has_grad) {
        ASSERT(slot_->grad.dtype() == dtype);
        write(slot_->grad);
        slot_->has_grad = true;
    } else {
        const Tensor contribution = backend.empty(shape(), dtype);
        write(contribution);
        add_grad(backend, contribution);
    }
}

}  // namespace engine

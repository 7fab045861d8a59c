// A tensor that takes part in differentiation. Copies share the tensor and its gradient.
#pragma once

#include <memory>
#include <optional>

#include "engine/backend/backend.h"
#include "engine/backend/fused.h"

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
    // The gradient gathered so far; has_grad() must hold, and no part may be outstanding.
    const Tensor& grad() const;
    // The same without the part that stats_gradient() describes.
    const Tensor& grad_with_fixed_stats() const;

    // A norm that read this variable may leave the part of the gradient that flows through its batch statistics to
    // whoever produced it, who adds that part on the way, without a pass over memory of its own.
    const std::optional<StatsGradient>& stats_gradient() const { return slot_->stats_gradient; }
    // To be called once the rest of that norm's gradient has been added.
    void set_stats_gradient(Backend& backend, const StatsGradient& part) const;
    // Adds an outstanding part now.
    void settle(Backend& backend) const;

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

    // Memory for a gradient of type `dtype` that is about to be written and then given to add_grad(): the fixed place,
    // where there is one and it is free.
    Tensor grad_target(Backend& backend, DType dtype) const;

    // Adds what `write(target)` produces, a gradient of type `dtype`, where possible straight at its fixed place.
    template <class Write>
    void write_grad(Backend& backend, DType dtype, Write write) const;

  private:
    struct Slot {
        Tensor value;
        Tensor grad;
        std::optional<StatsGradient> stats_gradient;
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
    const Tensor target = grad_target(backend, dtype);
    write(target);
    add_grad(backend, target);
}

}  // namespace engine

#include "engine/autograd/variable.h"

namespace residual {

Variable::Variable(Tensor value, bool requires_grad) : slot_(std::make_shared<Slot>()) {
    slot_->value = std::move(value);
    slot_->requires_grad = requires_grad;
}

Variable::Variable(Tensor value, Tensor grad) : Variable(std::move(value), true) {
    RESIDUAL_ASSERT(grad.shape() == slot_->value.shape());
    slot_->grad = std::move(grad);
    slot_->fixed_grad = true;
}

const Tensor& Variable::grad() const {
    RESIDUAL_ASSERT(has_grad());
    return slot_->grad;
}

Tensor Variable::grad_target(Backend& backend) const {
    if (!slot_->fixed_grad || slot_->has_grad) return backend.empty(shape(), DType::kFloat32);
    RESIDUAL_ASSERT(slot_->grad.dtype() == DType::kFloat32);
    return slot_->grad;
}

void Variable::clear_grad() const {
    slot_->has_grad = false;
    if (!slot_->fixed_grad) slot_->grad = {};
}

void Variable::add_grad(Backend& backend, const Tensor& grad) const {
    if (!requires_grad()) return;
    RESIDUAL_ASSERT(grad.shape() == shape());
    if (!slot_->has_grad) {
        if (slot_->fixed_grad) {
            if (grad.data() != slot_->grad.data()) backend.copy(grad, slot_->grad);
        } else {
            slot_->grad = grad;
        }
        slot_->has_grad = true;
    } else if (slot_->fixed_grad || slot_->grad.unique()) {
        backend.add(slot_->grad, grad, slot_->grad);
    } else {
        const Tensor sum = backend.empty(shape(), grad.dtype());
        backend.add(slot_->grad, grad, sum);
        slot_->grad = sum;
    }
}

}  // namespace residual

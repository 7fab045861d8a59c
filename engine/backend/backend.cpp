#include "engine/backend/backend.h"

namespace residual {

SavedStats Backend::batch_norm_training(const BatchNormParams& p, const RunningUpdate& running, const Tensor& x,
                                        const Tensor& residual, const Tensor& y) {
    BatchNormParams whole = p;
    whole.stats = {empty(p.gamma.shape(), DType::kFloat32), empty(p.gamma.shape(), DType::kFloat32)};
    batch_stats(x, whole.stats);
    if (running.running.mean.defined()) {
        update_running(whole.stats, x.elements() / x.shape()[-1], running.decay, running.running);
    }
    batch_norm(whole, x, residual, y);
    return {whole.stats.mean, whole.stats.variance};
}

void Backend::batch_norm_training_backward(const BatchNormParams& p, const SavedStats& saved, const Tensor& x,
                                           const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate,
                                           const Tensor& dresidual, const BatchNormGradients& gradients) {
    BatchNormParams whole = p;
    whole.stats = {saved.mean, saved.variance};
    if (!dresidual.defined()) {
        batch_norm_backward(whole, x, dy, dx, accumulate, gradients);
        return;
    }
    // The ReLU follows the addition, so its backward comes first; then the batch norm is one without ReLU.
    relu_backward(y, dy, dresidual);
    whole.relu = false;
    batch_norm_backward(whole, x, dresidual, dx, accumulate, gradients);
}

}  // namespace residual

#include "engine/backend/cuda/batch_norm.h"

namespace residual::cuda {

namespace {

// CUDNN_BATCHNORM_SPATIAL_PERSISTENT may be faster, but limits the range of the values.
constexpr cudnnBatchNormMode_t kMode = CUDNN_BATCHNORM_SPATIAL;

}  // namespace

const BatchNorm::Descriptors& BatchNorm::descriptors_of(const Tensor& x) {
    const int batch = static_cast<int>(x.shape()[0]);
    const int channels = static_cast<int>(x.shape()[-1]);
    const int pixels = static_cast<int>(x.elements() / batch / channels);
    Descriptors& entry = cache_[{batch, pixels, channels, x.dtype()}];
    if (!entry.activation) {
        entry = {make_tensor_descriptor(x.dtype(), batch, pixels, 1, channels),
                 make_tensor_descriptor(DType::kFloat32, 1, 1, 1, channels)};
    }
    return entry;
}

void BatchNorm::forward(const BatchNormParams& p, const Tensor& x, const Tensor& y) {
    const auto& [activation, parameter] = descriptors_of(x);
    CUDA_CALL(cudnnBatchNormalizationForwardInference(
        cudnn_, kMode, &kOne, &kZero, activation.get(), x.data(), activation.get(), y.data(), parameter.get(),
        p.gamma.data(), p.beta.data(), p.stats.mean.data(), p.stats.variance.data(), p.epsilon));
}

void BatchNorm::backward(const BatchNormParams& p, const Tensor& inverse_std, const Tensor& x, const Tensor& dy,
                         const Tensor& dx, bool accumulate, const Tensor& dgamma, const Tensor& dbeta) {
    const auto& [activation, parameter] = descriptors_of(x);
    CUDA_CALL(cudnnBatchNormalizationBackward(cudnn_, kMode, &kOne, accumulate ? &kOne : &kZero, &kOne, &kZero,
                                              activation.get(), x.data(), activation.get(), dy.data(), activation.get(),
                                              dx.data(), parameter.get(), p.gamma.data(), dgamma.data(), dbeta.data(),
                                              p.epsilon, p.stats.mean.data(), inverse_std.data()));
}

}  // namespace residual::cuda

// Batch norm by cuDNN, with given statistics.
#pragma once

#include <map>
#include <tuple>

#include "engine/backend/cuda/handles.h"
#include "engine/backend/params.h"

namespace residual::cuda {

class BatchNorm {
  public:
    explicit BatchNorm(cudnnHandle_t cudnn) : cudnn_(cudnn) {}

    // y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, without ReLU. y must not be x.
    void forward(const BatchNormParams& p, const Tensor& x, const Tensor& y);
    // The gradient of forward(), including through the batch statistics. inverse_std = 1 / sqrt(variance + epsilon),
    // [channels] float32. dx must not be dy.
    void backward(const BatchNormParams& p, const Tensor& inverse_std, const Tensor& x, const Tensor& dy,
                  const Tensor& dx, bool accumulate, const Tensor& dgamma, const Tensor& dbeta);

  private:
    struct Descriptors {
        TensorDescriptor activation;
        TensorDescriptor parameter;
    };

    const Descriptors& descriptors_of(const Tensor& x);

    cudnnHandle_t cudnn_;
    std::map<std::tuple<int, int, int, DType>, Descriptors> cache_;  // key: batch, pixels, channels, type
};

}  // namespace residual::cuda

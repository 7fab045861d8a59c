// Batch norm by cuDNN: what it does with statistics that are given to it.
#pragma once

#include <map>
#include <tuple>

#include "engine/backend/cuda/handles.h"
#include "engine/backend/params.h"

namespace residual::cuda {

class BatchNorm {
  public:
    explicit BatchNorm(cudnnHandle_t cudnn) : cudnn_(cudnn) {}

    // y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, without ReLU. y is not x.
    void forward(const BatchNormParams& p, const Tensor& x, const Tensor& y);
    // The gradient of forward(), through the batch statistics as well. inverse_std = 1 / sqrt(variance + epsilon),
    // [channels] float32. dx is not dy.
    void backward(const BatchNormParams& p, const Tensor& inverse_std, const Tensor& x, const Tensor& dy,
                  const Tensor& dx, bool accumulate, const Tensor& dgamma, const Tensor& dbeta);

  private:
    struct Descriptors {
        TensorDescriptor activation;
        TensorDescriptor parameter;
    };

    const Descriptors& descriptors_of(const Tensor& x);

    cudnnHandle_t cudnn_;
    std::map<std::tuple<int, int, int, DType>, Descriptors> cache_;  // By batch, pixels, channels, type.
};

}  // namespace residual::cuda

// Batch norm by oneDNN, from given statistics. float32.
#pragma once

#include "engine/backend/cpu/executor.h"

namespace engine::onednn {

// y = [relu](norm(x)); y may be x.
void norm(Executor& executor, const NormParams& p, const Tensor& x, const Tensor& y);

// Its gradient, through the statistics as well. dx may be dy.
void norm_backward(Executor& executor, const NormParams& p, const Tensor& x, const Tensor& dy, const Tensor& dx,
                   const Tensor& dgamma, const Tensor& dbeta);

}  // namespace engine::onednn

// The device and the activation type that a configuration selects.
#pragma once

#include <memory>

#include "engine/backend/backend.h"
#include "engine/train/config.h"

namespace residual {

// The configured device; `automatic` is the first GPU if it can be used, else the CPU. Throws InputError if a GPU is
// requested but not usable (with the reason), or if the device does not support the configured precision or kernels.
// `log`: see CudaOptions.
std::unique_ptr<Backend> make_backend(const TrainConfig& config, const PlanLog& log = {});

// bfloat16 or float32 (TF32 is float32 in memory).
DType activation_type(const Backend& backend, PrecisionChoice precision);

}  // namespace residual

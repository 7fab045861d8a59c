// From the choices of a configuration to a device and a type of activations.
#pragma once

#include <memory>

#include "engine/backend/backend.h"
#include "engine/train/config.h"

namespace residual {

// The device asked for; `automatic` is the GPU where one can be used, else the CPU. Throws InputError that says what
// is missing where a GPU is asked for and there is none, and for what the device cannot do.
std::unique_ptr<Backend> make_backend(const TrainConfig& config);

// bfloat16 or float32 (TF32 is float32 in memory).
DType activation_type(const Backend& backend, PrecisionChoice precision);

}  // namespace residual

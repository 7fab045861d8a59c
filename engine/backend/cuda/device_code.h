// The GPU architectures that this binary was built for.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

namespace residual::cuda {

// Loads a kernel of this binary on the current device. cudaSuccess if it can run there, natively or from PTX.
cudaError_t load_device_code();
// "8.0, 9.0"
std::string built_architectures();

}  // namespace residual::cuda

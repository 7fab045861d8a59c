// The error that cudaGetLastError returns.
#pragma once

#include <cuda_runtime_api.h>

namespace emulator {

// Returns `error`, and stores it unless it is cudaSuccess.
cudaError_t remember(cudaError_t error);

}  // namespace emulator

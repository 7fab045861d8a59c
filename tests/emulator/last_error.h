// The error that cudaGetLastError returns.
#pragma once

#include <cuda_runtime_api.h>

namespace emulator {

// Returns `error`, keeping it if it is one.
cudaError_t remember(cudaError_t error);

}  // namespace emulator

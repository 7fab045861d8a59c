// Failures of the emulated runtime that a test requests.
#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

namespace emulator {

// The error with which `function` must fail: the environment variable EMULATOR_FAILURES lists functions and error
// numbers, as in "cudaSetDevice=46,cudaStreamEndCapture=901". cudaSuccess if it does not name the function. As on a
// real device, after cudaErrorIllegalAddress (700) every function that calls this fails with it, until the variable is
// unset.
cudaError_t requested_failure(std::string_view function);

}  // namespace emulator

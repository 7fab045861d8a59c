// Matrix products by cuBLAS.
#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/cuda/handles.h"

namespace residual::cuda {

class Matmul {
  public:
    // Keeps a workspace from the arena of `backend`. With cuBLAS's own workspace pools the choice of kernels could
    // vary, and a captured step needs a workspace with a fixed address.
    Matmul(Backend& backend, cublasHandle_t cublas, const CudaOptions& options, int compute_capability_major);

    // c [m, n] = op(a) [m, k] * op(b) [k, n], row-major float32.
    void run(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c);

  private:
    cublasHandle_t cublas_;
    Tensor workspace_;
};

}  // namespace residual::cuda

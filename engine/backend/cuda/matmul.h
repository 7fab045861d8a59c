// Matrix products by cuBLAS.
#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/cuda/handles.h"

namespace residual::cuda {

class Matmul {
  public:
    // Takes a workspace from the arena of `backend` and keeps it. cuBLAS would otherwise choose among its own pools,
    // and with them among kernels; a workspace of ours also stays where it is when a step is captured and replayed.
    Matmul(Backend& backend, cublasHandle_t cublas, const CudaOptions& options, int compute_capability_major);

    // c [m, n] = op(a) [m, k] * op(b) [k, n], row-major float32.
    void run(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c);

  private:
    cublasHandle_t cublas_;
    Tensor workspace_;
};

}  // namespace residual::cuda

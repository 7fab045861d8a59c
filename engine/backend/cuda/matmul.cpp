#include "engine/backend/cuda/matmul.h"

namespace residual::cuda {

namespace {

constexpr int64_t kMebibyte = int64_t{1} << 20;

// The sizes recommended by the cuBLAS manual for cublasSetWorkspace.
int64_t workspace_bytes(int compute_capability_major) {
    return compute_capability_major >= 9 ? 32 * kMebibyte : 4 * kMebibyte;
}

cublasOperation_t operation(bool transpose) {
    return transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
}

}  // namespace

Matmul::Matmul(Backend& backend, cublasHandle_t cublas, const CudaOptions& options, int compute_capability_major)
    : cublas_(cublas), workspace_(backend.empty({workspace_bytes(compute_capability_major)}, DType::kUInt8)) {
    CUDA_CALL(cublasSetWorkspace(cublas_, workspace_.data(), workspace_.bytes()));
    CUDA_CALL(cublasSetMathMode(cublas_, options.allow_tf32 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_PEDANTIC_MATH));
}

// cuBLAS is column-major and sees a row-major matrix as its transpose, so this computes c^T = op(b)^T * op(a)^T.
void Matmul::run(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) {
    const int m = static_cast<int>(c.shape()[0]), n = static_cast<int>(c.shape()[1]);
    const int a_columns = static_cast<int>(a.shape()[1]), b_columns = static_cast<int>(b.shape()[1]);
    const int k = static_cast<int>(a.shape()[transpose_a ? 0 : 1]);
    CUDA_CALL(cublasSgemm(cublas_, operation(transpose_b), operation(transpose_a), n, m, k, &kOne, b.data<float>(),
                          b_columns, a.data<float>(), a_columns, &kZero, c.data<float>(), n));
}

}  // namespace residual::cuda

// Selects cuDNN convolution algorithms, in order of preference.
#pragma once

#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/check.h"

namespace residual::cuda {

// An algorithm and its math type: which units of the GPU multiply.
template <class Algorithm>
struct Candidate {
    Algorithm algorithm;
    cudnnMathType_t math;
};

// Whether the algorithm sums with atomic adds, in nondeterministic order.
constexpr bool uses_atomic_adds(cudnnConvolutionFwdAlgo_t) {
    return false;
}
constexpr bool uses_atomic_adds(cudnnConvolutionBwdDataAlgo_t algorithm) {
    return algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0;
}
constexpr bool uses_atomic_adds(cudnnConvolutionBwdFilterAlgo_t algorithm) {
    return algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 || algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3;
}

// The least restrictive math type that `options` allow for `dtype`.
constexpr cudnnMathType_t allowed_math(DType dtype, const CudaOptions& options) {
    if (dtype == DType::kBFloat16) return CUDNN_TENSOR_OP_MATH;
    return options.allow_tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
}

// Filters `results`, which cuDNN sorts fastest first: removes algorithms that failed, that round float32 more than
// `options` allow, or that are nondeterministic although `options` require determinism.
template <class Result>
auto candidates_among(const std::vector<Result>& results, DType dtype, const CudaOptions& options) {
    std::vector<Candidate<decltype(Result::algo)>> candidates;
    const bool only_fma = dtype == DType::kFloat32 && !options.allow_tf32;
    for (const Result& result : results) {
        if (result.status != CUDNN_STATUS_SUCCESS) continue;
        if (options.deterministic && result.determinism != CUDNN_DETERMINISTIC) continue;
        if (options.deterministic && uses_atomic_adds(result.algo)) continue;
        if (result.mathType == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) continue;  // may round float32 to float16
        if (only_fma && result.mathType == CUDNN_TENSOR_OP_MATH) continue;
        // Keep the result's own mathType: bfloat16 with a different one has produced NaN. The exception is float32
        // without TF32, because CUDNN_DEFAULT_MATH may round to TF32.
        candidates.push_back({result.algo, only_fma ? CUDNN_FMA_MATH : result.mathType});
    }
    return candidates;
}

}  // namespace residual::cuda

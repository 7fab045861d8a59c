// Which of cuDNN's convolution algorithms may be used, in order of preference.
#pragma once

#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/check.h"

namespace residual::cuda {

// An algorithm, and which units of the GPU multiply for it.
template <class Algorithm>
struct Candidate {
    Algorithm algorithm;
    cudnnMathType_t math;
};

// Algorithms that add with atomics, in whatever order the blocks arrive.
constexpr bool adds_in_any_order(cudnnConvolutionFwdAlgo_t) {
    return false;
}
constexpr bool adds_in_any_order(cudnnConvolutionBwdDataAlgo_t algorithm) {
    return algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0;
}
constexpr bool adds_in_any_order(cudnnConvolutionBwdFilterAlgo_t algorithm) {
    return algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 || algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3;
}

// The widest choice of units that `options` leave for products of `dtype`, for cuDNN to choose from.
constexpr cudnnMathType_t widest_math(DType dtype, const CudaOptions& options) {
    if (dtype == DType::kBFloat16) return CUDNN_TENSOR_OP_MATH;
    return options.allow_tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
}

// `results` are cuDNN's own, fastest first. Left out are those that failed, those that would round float32 further
// than `options` allow, and, where bits must repeat, those that don't repeat them.
template <class Result>
auto candidates_among(const std::vector<Result>& results, DType dtype, const CudaOptions& options) {
    std::vector<Candidate<decltype(Result::algo)>> candidates;
    const bool only_fma = dtype == DType::kFloat32 && !options.allow_tf32;
    for (const Result& result : results) {
        if (result.status != CUDNN_STATUS_SUCCESS) continue;
        if (options.deterministic && result.determinism != CUDNN_DETERMINISTIC) continue;
        if (options.deterministic && adds_in_any_order(result.algo)) continue;
        if (result.mathType == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) continue;  // it may round float32 to float16
        if (only_fma && result.mathType == CUDNN_TENSOR_OP_MATH) continue;
        // The mathType of the result belongs to the algorithm: bfloat16 run with another one has given NaN.
        // CUDNN_DEFAULT_MATH however lets float32 be rounded to TF32.
        candidates.push_back({result.algo, only_fma ? CUDNN_FMA_MATH : result.mathType});
    }
    return candidates;
}

}  // namespace residual::cuda

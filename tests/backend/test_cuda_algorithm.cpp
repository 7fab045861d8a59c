// Filtering of cuDNN's algorithms. Needs cuDNN's header but no GPU.
#ifdef RESIDUAL_CUDA
#include "engine/backend/cuda/algorithm.h"

#include "tests/catch.h"

using namespace residual;
using namespace residual::cuda;

namespace {

using Result = cudnnConvolutionBwdFilterAlgoPerf_t;

Result result_of(cudnnConvolutionBwdFilterAlgo_t algorithm, cudnnMathType_t math, cudnnDeterminism_t determinism,
                 cudnnStatus_t status = CUDNN_STATUS_SUCCESS) {
    Result result{};
    result.algo = algorithm;
    result.status = status;
    result.determinism = determinism;
    result.mathType = math;
    return result;
}

std::vector<Result> sample_results() {
    return {result_of(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, CUDNN_TENSOR_OP_MATH, CUDNN_NON_DETERMINISTIC),
            result_of(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0, CUDNN_DEFAULT_MATH, CUDNN_DETERMINISTIC),
            result_of(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION, CUDNN_DETERMINISTIC),
            result_of(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, CUDNN_TENSOR_OP_MATH, CUDNN_DETERMINISTIC),
            result_of(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, CUDNN_DEFAULT_MATH, CUDNN_DETERMINISTIC),
            result_of(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT, CUDNN_DEFAULT_MATH, CUDNN_DETERMINISTIC,
                      CUDNN_STATUS_NOT_SUPPORTED)};
}

}  // namespace

TEST_CASE("deterministic mode excludes algorithms with atomic adds even if cuDNN calls them deterministic") {
    const auto chosen =
        candidates_among(sample_results(), DType::kBFloat16, {.deterministic = true, .allow_tf32 = false});
    REQUIRE(chosen.size() == 2);
    for (const auto& candidate : chosen) CHECK(candidate.algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1);
    CHECK(chosen[0].math == CUDNN_TENSOR_OP_MATH);
    CHECK(chosen[1].math == CUDNN_DEFAULT_MATH);
}

TEST_CASE("float32 is rounded to TF32 only if allowed, and never to float16") {
    const auto exact =
        candidates_among(sample_results(), DType::kFloat32, {.deterministic = false, .allow_tf32 = false});
    REQUIRE(exact.size() == 2);
    for (const auto& candidate : exact) CHECK(candidate.math == CUDNN_FMA_MATH);
    CHECK(exact[0].algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0);
    CHECK(exact[1].algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1);

    const auto tf32 = candidates_among(sample_results(), DType::kFloat32, {.deterministic = false, .allow_tf32 = true});
    REQUIRE(tf32.size() == 4);
    CHECK(tf32[0].algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3);
    for (const auto& candidate : tf32) CHECK(candidate.math != CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION);
}

TEST_CASE("the requested math type respects the precision") {
    CHECK(allowed_math(DType::kFloat32, {.deterministic = true, .allow_tf32 = false}) == CUDNN_FMA_MATH);
    CHECK(allowed_math(DType::kFloat32, {.deterministic = true, .allow_tf32 = true}) == CUDNN_DEFAULT_MATH);
    CHECK(allowed_math(DType::kBFloat16, {.deterministic = true, .allow_tf32 = false}) == CUDNN_TENSOR_OP_MATH);
}

TEST_CASE("only algorithms that cuDNN rejected beforehand may be replaced by another") {
    CHECK(refused(CUDNN_STATUS_NOT_SUPPORTED));
    CHECK(refused(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT));
    CHECK(refused(CUDNN_STATUS_BAD_PARAM));
    CHECK_FALSE(refused(CUDNN_STATUS_SUCCESS));
    CHECK_FALSE(refused(CUDNN_STATUS_EXECUTION_FAILED));
    CHECK_FALSE(refused(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED));
}
#endif

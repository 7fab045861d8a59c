// How the engine chooses among the algorithms that cuDNN offers.
#include "engine/backend/backend.h"
#include "tests/fakes/cudnn_convolution.h"
#include "tests/fakes/fixture.h"
#include "tests/support/array.h"

using namespace residual;
using fakes::RefusedForwardAlgorithms;

namespace {

const Conv2dParams kParams{2, 8, 8, 16, 16, 3, 1, 1, 1, 1, 1};

test::Array convolved(Backend& backend) {
    test::Random random("engine");
    const Tensor x = test::upload(backend, random.uniform(kParams.input_shape()), DType::kFloat32);
    const Tensor w = test::upload(backend, random.uniform(kParams.weight_shape()), DType::kFloat32);
    const Tensor y = backend.empty(kParams.output_shape(), DType::kFloat32);
    backend.conv2d(kParams, x, w, y);
    return test::download(backend, y);
}

}  // namespace

TEST_CASE("if cuDNN refuses to run an algorithm that it offered, the next one is tried") {
    const test::Array expected = convolved(*make_cpu_backend());
    for (const bool deterministic : {true, false}) {
        for (const auto algorithm :
             {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM}) {
            const RefusedForwardAlgorithms refused({algorithm});
            const auto backend = make_cuda_backend({.deterministic = deterministic, .allow_tf32 = false});
            CHECK(test::relative_error(convolved(*backend), expected) <= 1e-5);
        }
    }
}

TEST_CASE("a convolution for which no algorithm runs is an error") {
    const RefusedForwardAlgorithms refused(
        {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM});
    const auto backend = make_cuda_backend({});
    CHECK_THROWS_WITH(convolved(*backend),
                      ContainsSubstring("no deterministic algorithm") && ContainsSubstring("train.deterministic"));
}

TEST_CASE("the chosen algorithm is kept; if it is refused later, that is an error") {
    const auto backend = make_cuda_backend({});
    convolved(*backend);
    const RefusedForwardAlgorithms refused(
        {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM});
    CHECK_THROWS_WITH(convolved(*backend), ContainsSubstring("CUDNN_STATUS_NOT_SUPPORTED"));
}

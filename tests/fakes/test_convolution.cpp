// The fake of cuDNN's convolution: what it computes and which errors it detects.
#include <cmath>

#include "tests/fakes/convolution_fixture.h"
#include "tests/fakes/cudnn_objects.h"

using namespace fakes;
using Fixture = ConvolutionFixture;

namespace {

double dot(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
    return sum;
}

}  // namespace

TEST_CASE("the forward pass convolves; beta = 0 does not read the output") {
    Fixture s;
    for (const auto algorithm :
         {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM}) {
        REQUIRE(s.forward(algorithm) == CUDNN_STATUS_SUCCESS);
        s.stream.wait();
        const auto y = s.y.values();
        size_t i = 0;
        for (int n = 0; n < 2; ++n)
            for (int row = 0; row < 3; ++row)
                for (int column = 0; column < 3; ++column)
                    for (int k = 0; k < 4; ++k) CHECK(y[i++] == Approx(s.expected_y(n, row, column, k)));
    }
}

TEST_CASE("alpha scales the result, beta the previous content") {
    Fixture s;
    REQUIRE(s.forward() == CUDNN_STATUS_SUCCESS);
    s.stream.wait();
    const auto once = s.y.values();
    s.alpha = 2;
    s.beta = -0.5f;
    REQUIRE(s.forward() == CUDNN_STATUS_SUCCESS);
    s.stream.wait();
    const auto blended = s.y.values();
    for (size_t i = 0; i < once.size(); ++i) CHECK(blended[i] == Approx(1.5f * once[i]));
}

// <dy, conv(x, w)> is linear in x and in w with gradients dx and dw, so <dx, x> = <dw, w> = <dy, y>.
TEST_CASE("the gradients match the forward pass") {
    Fixture s;
    REQUIRE(s.forward() == CUDNN_STATUS_SUCCESS);
    const Buffer dy(ramp(72, 1, -0.25f)), dx(std::vector<float>(180, NAN)), dw(std::vector<float>(108, NAN));
    for (const auto algorithm : {CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1}) {
        REQUIRE(cudnnConvolutionBackwardData(s.cudnn, &s.alpha, s.w_descriptor, s.w.get(), s.y_descriptor, dy.get(),
                                             s.convolution, algorithm, s.workspace.get(), s.workspace.bytes(), &s.beta,
                                             s.x_descriptor, dx.get()) == CUDNN_STATUS_SUCCESS);
        s.stream.wait();
        CHECK(dot(dx.values(), s.x.values()) == Approx(dot(dy.values(), s.y.values())));
    }
    for (const auto algorithm : {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1}) {
        REQUIRE(cudnnConvolutionBackwardFilter(s.cudnn, &s.alpha, s.x_descriptor, s.x.get(), s.y_descriptor, dy.get(),
                                               s.convolution, algorithm, s.workspace.get(), s.workspace.bytes(),
                                               &s.beta, s.w_descriptor, dw.get()) == CUDNN_STATUS_SUCCESS);
        s.stream.wait();
        CHECK(dot(dw.values(), s.w.values()) == Approx(dot(dy.values(), s.y.values())));
    }
}

TEST_CASE("a non-deterministic algorithm gives different bits in each run, a deterministic one the same") {
    Fixture s;
    const auto gradient = [&](cudnnConvolutionBwdFilterAlgo_t algorithm) {
        const Buffer dy(ramp(72, 1, -0.3f)), dw(std::vector<float>(108, NAN));
        REQUIRE(cudnnConvolutionBackwardFilter(s.cudnn, &s.alpha, s.x_descriptor, s.x.get(), s.y_descriptor, dy.get(),
                                               s.convolution, algorithm, s.workspace.get(), s.workspace.bytes(),
                                               &s.beta, s.w_descriptor, dw.get()) == CUDNN_STATUS_SUCCESS);
        s.stream.wait();
        return dw.values();
    };
    CHECK(gradient(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1) == gradient(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1));
    CHECK(gradient(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0) != gradient(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0));
}

TEST_CASE("TF32 drops bits that FMA math keeps") {
    Fixture s;
    const Buffer odd(std::vector<float>(180, 1 + 0x1p-12f));
    const auto sum = [&](cudnnMathType_t math) {
        REQUIRE(cudnnSetConvolutionMathType(s.convolution, math) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnConvolutionForward(s.cudnn, &s.alpha, s.x_descriptor, odd.get(), s.w_descriptor, s.w.get(),
                                        s.convolution, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, s.workspace.get(),
                                        s.workspace.bytes(), &s.beta, s.y_descriptor,
                                        s.y.get()) == CUDNN_STATUS_SUCCESS);
        s.stream.wait();
        return s.y.values();
    };
    CHECK(sum(CUDNN_FMA_MATH) != sum(CUDNN_DEFAULT_MATH));
}

TEST_CASE("descriptors that do not match are refused") {
    Fixture s;
    SECTION("a stride that does not match the shape of y") {
        s.set_convolution(1, 1);
    }
    SECTION("a padding that does not match the shape of y") {
        s.set_convolution(0, 2);
    }
    SECTION("a dilation that does not match the shape of y") {
        s.set_convolution(1, 2, 2);
    }
    SECTION("x with more channels than the weights") {
        s.set_x(CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 4, 5, 6);
    }
    SECTION("x with more images than y") {
        s.set_x(CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 3, 3, 5, 6);
    }
    SECTION("x and y with different types") {
        s.set_x(CUDNN_TENSOR_NHWC, CUDNN_DATA_BFLOAT16, 2, 3, 5, 6);
    }
    CHECK(CUDNN_STATUS_CATEGORY(s.forward()) == CUDNN_STATUS_BAD_PARAM);
    CHECK_THAT(refusals(), ContainsSubstring("cudnnConvolutionForward"));
}

TEST_CASE("only NHWC is supported") {
    Fixture s;
    s.set_x(CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 2, 3, 5, 6);
    CHECK(s.forward() == CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
}

TEST_CASE("extents and strides below 1 and negative padding are refused") {
    Fixture s;
    CHECK(cudnnSetTensor4dDescriptor(s.x_descriptor, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 0, 5, 6) ==
          CUDNN_STATUS_BAD_PARAM);
    CHECK(cudnnSetFilter4dDescriptor(s.w_descriptor, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 4, -1, 3, 3) ==
          CUDNN_STATUS_BAD_PARAM);
    CHECK(cudnnSetConvolution2dDescriptor(s.convolution, -1, 0, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION,
                                          CUDNN_DATA_FLOAT) == CUDNN_STATUS_BAD_PARAM);
    CHECK(cudnnSetConvolution2dDescriptor(s.convolution, 0, 0, 0, 1, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT) ==
          CUDNN_STATUS_BAD_PARAM);
    CHECK_THAT(refusals(), ContainsSubstring("the stride is not positive"));
}

TEST_CASE("each algorithm needs a different workspace size; a smaller workspace is refused") {
    Fixture s;
    const size_t gemm = s.workspace_bytes(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM);
    const size_t precomputed = s.workspace_bytes(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM);
    CHECK(gemm > 0);
    CHECK(gemm < precomputed);
    CHECK(s.forward(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, s.workspace.get(), gemm) ==
          CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT);
    CHECK(s.forward(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0) == CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    CHECK_THAT(refusals(), ContainsSubstring("workspace"));
    CHECK(s.forward(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, s.workspace.get(), precomputed) ==
          CUDNN_STATUS_SUCCESS);
}

TEST_CASE("a run overwrites the workspace up to the size that the algorithm requested") {
    Fixture s;
    const size_t bytes = s.workspace_bytes(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM);
    REQUIRE(s.forward() == CUDNN_STATUS_SUCCESS);
    s.stream.wait();
    const auto left = s.workspace.values();
    CHECK(left[0] != 0);
    CHECK(left[bytes / sizeof(float) - 1] != 0);
    CHECK(left[bytes / sizeof(float) + 1] == 0);
}

TEST_CASE("arrays that are misaligned, overlapping or not entirely on the device are detected") {
    Fixture s;
    const auto run = [&](const void* x, void* y, void* space) {
        return cudnnConvolutionForward(s.cudnn, &s.alpha, s.x_descriptor, x, s.w_descriptor, s.w.get(), s.convolution,
                                       CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, space, s.workspace.bytes(), &s.beta,
                                       s.y_descriptor, y);
    };
    const std::vector<float> on_host(180);
    const Buffer small(std::vector<float>(179));
    CHECK_THROWS_AS(run(on_host.data(), s.y.get(), s.workspace.get()), Misuse);
    CHECK_THROWS_AS(run(small.get(), s.y.get(), s.workspace.get()), Misuse);
    CHECK_THROWS_AS(run(s.x.get(), s.x.get(), s.workspace.get()), Misuse);
    CHECK_THROWS_AS(run(s.x.get(), s.y.get(), s.workspace.get() + 4), Misuse);
    CHECK(run(s.x.get() + 1, s.y.get(), s.workspace.get()) == CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
    CHECK(run(nullptr, s.y.get(), s.workspace.get()) == CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    CHECK_THAT(refusals(), ContainsSubstring("16 bytes"));
}

TEST_CASE("an array in freed memory throws Misuse") {
    Fixture s;
    const void* freed = Buffer(std::vector<float>(180)).get();
    CHECK_THROWS_AS(cudnnConvolutionForward(s.cudnn, &s.alpha, s.x_descriptor, freed, s.w_descriptor, s.w.get(),
                                            s.convolution, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, s.workspace.get(),
                                            s.workspace.bytes(), &s.beta, s.y_descriptor, s.y.get()),
                    Misuse);
}

TEST_CASE("algorithms without NHWC support are listed as not supported and refused") {
    Fixture s;
    int max_count = 0, count = 0;
    REQUIRE(cudnnGetConvolutionForwardAlgorithmMaxCount(s.cudnn, &max_count) == CUDNN_STATUS_SUCCESS);
    std::vector<cudnnConvolutionFwdAlgoPerf_t> results(max_count);
    REQUIRE(cudnnGetConvolutionForwardAlgorithm_v7(s.cudnn, s.x_descriptor, s.w_descriptor, s.convolution,
                                                   s.y_descriptor, max_count, &count,
                                                   results.data()) == CUDNN_STATUS_SUCCESS);
    int supported = 0;
    for (int i = 0; i < count; ++i) {
        CHECK(s.forward(results[i].algo) == results[i].status);
        if (results[i].status == CUDNN_STATUS_SUCCESS) ++supported;
    }
    CHECK(supported == 4);
    CHECK(supported < count);
    size_t bytes = 0;
    CHECK(cudnnGetConvolutionForwardWorkspaceSize(s.cudnn, s.x_descriptor, s.w_descriptor, s.convolution,
                                                  s.y_descriptor, CUDNN_CONVOLUTION_FWD_ALGO_FFT,
                                                  &bytes) == CUDNN_STATUS_NOT_SUPPORTED);
}

TEST_CASE("measuring runs the algorithms and overwrites the output") {
    Fixture s;
    int max_count = 0, count = 0;
    REQUIRE(cudnnGetConvolutionForwardAlgorithmMaxCount(s.cudnn, &max_count) == CUDNN_STATUS_SUCCESS);
    std::vector<cudnnConvolutionFwdAlgoPerf_t> results(max_count);
    REQUIRE(cudnnFindConvolutionForwardAlgorithmEx(
                s.cudnn, s.x_descriptor, s.x.get(), s.w_descriptor, s.w.get(), s.convolution, s.y_descriptor, s.y.get(),
                max_count, &count, results.data(), s.workspace.get(), s.workspace.bytes()) == CUDNN_STATUS_SUCCESS);
    CHECK(results[0].status == CUDNN_STATUS_SUCCESS);
    CHECK(s.y.values()[0] == Approx(s.expected_y(0, 0, 0, 0)));
}

TEST_CASE("using or destroying a handle or descriptor that is not live throws Misuse") {
    Fixture s;
    cudnnTensorDescriptor_t descriptor = nullptr;
    REQUIRE(cudnnCreateTensorDescriptor(&descriptor) == CUDNN_STATUS_SUCCESS);
    const auto query = [&] {
        size_t bytes = 0;
        return cudnnGetConvolutionForwardWorkspaceSize(s.cudnn, descriptor, s.w_descriptor, s.convolution,
                                                       s.y_descriptor, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,
                                                       &bytes);
    };
    CHECK_THROWS_WITH(query(), ContainsSubstring("never set"));
    REQUIRE(cudnnDestroyTensorDescriptor(descriptor) == CUDNN_STATUS_SUCCESS);
    CHECK_THROWS_WITH(query(), ContainsSubstring("a destroyed tensor descriptor"));
    CHECK_THROWS_WITH(cudnnDestroyTensorDescriptor(descriptor), ContainsSubstring("a destroyed tensor descriptor"));
    CHECK_THROWS_AS(cudnnDestroyTensorDescriptor(reinterpret_cast<cudnnTensorDescriptor_t>(&descriptor)), Misuse);

    cudnnHandle_t destroyed = nullptr;
    REQUIRE(cudnnCreate(&destroyed) == CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnDestroy(destroyed) == CUDNN_STATUS_SUCCESS);
    CHECK_THROWS_AS(cudnnSetStream(destroyed, s.stream.get()), Misuse);
}

TEST_CASE("running on a destroyed stream throws Misuse") {
    Fixture s;
    {
        const StreamOwner other;
        REQUIRE(cudnnSetStream(s.cudnn, other.get()) == CUDNN_STATUS_SUCCESS);
    }
    CHECK_THROWS_AS(s.forward(), Misuse);
}

TEST_CASE("leaked descriptors are counted") {
    CHECK(tensor_descriptors().leaked() == "");
    cudnnTensorDescriptor_t descriptor = nullptr;
    REQUIRE(cudnnCreateTensorDescriptor(&descriptor) == CUDNN_STATUS_SUCCESS);
    CHECK_THAT(tensor_descriptors().leaked(), ContainsSubstring("1 tensor descriptor"));
    REQUIRE(cudnnDestroyTensorDescriptor(descriptor) == CUDNN_STATUS_SUCCESS);
    CHECK(tensor_descriptors().leaked() == "");
}

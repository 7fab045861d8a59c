// The fake of cuDNN's batch norm: what it computes and which errors it detects.
#include <cmath>

#include "tests/fakes/fixture.h"

using namespace fakes;

namespace {

constexpr int kRows = 12, kChannels = 4;
constexpr double kEpsilon = 1e-3;

struct Fixture {
    StreamOwner stream;
    cudnnHandle_t cudnn = nullptr;
    cudnnTensorDescriptor_t activation = nullptr, parameter = nullptr;
    Buffer x{ramp(kRows * kChannels, -2, 0.375f)}, dy{ramp(kRows * kChannels, 1, -0.25f)};
    Buffer y{std::vector<float>(kRows * kChannels, NAN)};
    Buffer gamma{ramp(kChannels, 0.5f, 0.25f)}, beta{ramp(kChannels, -1, 0.5f)};
    Buffer mean{ramp(kChannels, 0, 0.125f)}, variance{ramp(kChannels, 1, 0.5f)};
    Buffer dgamma{std::vector<float>(kChannels, NAN)}, dbeta{std::vector<float>(kChannels, NAN)};
    float one = 1, zero = 0;

    Fixture() {
        REQUIRE(cudnnCreate(&cudnn) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnSetStream(cudnn, stream.get()) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnCreateTensorDescriptor(&activation) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnCreateTensorDescriptor(&parameter) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnSetTensor4dDescriptor(activation, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 3, kChannels, 2, 2) ==
                CUDNN_STATUS_SUCCESS);
        set_parameter(CUDNN_DATA_FLOAT, kChannels);
    }
    ~Fixture() {
        cudnnDestroyTensorDescriptor(parameter);
        cudnnDestroyTensorDescriptor(activation);
        cudnnDestroy(cudnn);
    }

    void set_parameter(cudnnDataType_t type, int channels) {
        REQUIRE(cudnnSetTensor4dDescriptor(parameter, CUDNN_TENSOR_NHWC, type, 1, channels, 1, 1) ==
                CUDNN_STATUS_SUCCESS);
    }
    cudnnStatus_t forward(const Buffer& from, void* to, double epsilon = kEpsilon) {
        return cudnnBatchNormalizationForwardInference(cudnn, CUDNN_BATCHNORM_SPATIAL, &one, &zero, activation,
                                                       from.get(), activation, to, parameter, gamma.get(), beta.get(),
                                                       mean.get(), variance.get(), epsilon);
    }
    cudnnStatus_t backward(float* dx, const void* saved_mean, const void* saved_inverse, float* beta_data = nullptr) {
        return cudnnBatchNormalizationBackward(cudnn, CUDNN_BATCHNORM_SPATIAL, &one, beta_data ? beta_data : &zero,
                                               &one, &zero, activation, x.get(), activation, dy.get(), activation, dx,
                                               parameter, gamma.get(), dgamma.get(), dbeta.get(), kEpsilon, saved_mean,
                                               saved_inverse);
    }
};

}  // namespace

TEST_CASE("the forward pass normalises with the given statistics") {
    Fixture s;
    REQUIRE(s.forward(s.x, s.y.get()) == CUDNN_STATUS_SUCCESS);
    s.stream.wait();
    const auto x = s.x.values(), y = s.y.values();
    const auto gamma = s.gamma.values(), beta = s.beta.values(), mean = s.mean.values(), variance = s.variance.values();
    for (size_t i = 0; i < y.size(); ++i) {
        const size_t c = i % kChannels;
        CHECK(y[i] == Approx(gamma[c] * (x[i] - mean[c]) / std::sqrt(variance[c] + kEpsilon) + beta[c]).margin(1e-6));
    }
}

TEST_CASE("the gradient uses saved statistics or computes them") {
    Fixture s;
    const Buffer dx(std::vector<float>(kRows * kChannels, NAN)), dx_of_saved(std::vector<float>(kRows * kChannels));
    REQUIRE(s.backward(dx.get(), nullptr, nullptr) == CUDNN_STATUS_SUCCESS);
    s.stream.wait();
    const auto x = s.x.values(), dy = s.dy.values();
    std::vector<float> mean(kChannels), inverse(kChannels);
    for (size_t c = 0; c < kChannels; ++c) {
        double sum = 0, squares = 0, of_dy = 0, of_dx = 0;
        for (size_t i = c; i < x.size(); i += kChannels) sum += x[i] / double{kRows};
        for (size_t i = c; i < x.size(); i += kChannels) squares += (x[i] - sum) * (x[i] - sum) / kRows;
        for (size_t i = c; i < x.size(); i += kChannels) of_dy += dy[i];
        for (size_t i = c; i < x.size(); i += kChannels) of_dx += dx.values()[i];
        mean[c] = static_cast<float>(sum);
        inverse[c] = static_cast<float>(1 / std::sqrt(squares + kEpsilon));
        CHECK(s.dbeta.values()[c] == Approx(of_dy));
        CHECK(of_dx == Approx(0).margin(1e-5));  // shifting a channel does not change the output
    }
    const auto own = dx.values(), own_dgamma = s.dgamma.values();
    const Buffer saved_mean(mean), saved_inverse(inverse);
    REQUIRE(s.backward(dx_of_saved.get(), saved_mean.get(), saved_inverse.get()) == CUDNN_STATUS_SUCCESS);
    s.stream.wait();
    for (size_t i = 0; i < own.size(); ++i) CHECK(dx_of_saved.values()[i] == Approx(own[i]).margin(1e-5));
    for (size_t c = 0; c < kChannels; ++c) CHECK(s.dgamma.values()[c] == Approx(own_dgamma[c]).margin(1e-5));

    const Buffer added(std::vector<float>(kRows * kChannels, 3));
    REQUIRE(s.backward(added.get(), nullptr, nullptr, &s.one) == CUDNN_STATUS_SUCCESS);
    s.stream.wait();
    for (size_t i = 0; i < own.size(); ++i) CHECK(added.values()[i] == Approx(own[i] + 3).margin(1e-6));
}

TEST_CASE("wrong parameters, epsilon or statistics are refused") {
    Fixture s;
    const Buffer dx(std::vector<float>(kRows * kChannels));
    CHECK(s.forward(s.x, s.y.get(), -1e-3) == CUDNN_STATUS_BAD_PARAM);
    CHECK(s.backward(dx.get(), s.mean.get(), nullptr) == CUDNN_STATUS_BAD_PARAM);
    s.set_parameter(CUDNN_DATA_FLOAT, kChannels + 1);
    CHECK(s.forward(s.x, s.y.get()) == CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    s.set_parameter(CUDNN_DATA_BFLOAT16, kChannels);
    CHECK(s.forward(s.x, s.y.get()) == CUDNN_STATUS_BAD_PARAM);
    CHECK_THAT(refusals(), ContainsSubstring("epsilon is less"));
}

TEST_CASE("outputs that overlap inputs and arrays beyond their allocation throw Misuse") {
    Fixture s;
    const Buffer small(std::vector<float>(kRows * kChannels - 1));
    CHECK_THROWS_AS(s.forward(s.x, s.x.get()), Misuse);
    CHECK_THROWS_AS(s.forward(small, s.y.get()), Misuse);
    CHECK_THROWS_AS(s.backward(s.dy.get(), nullptr, nullptr), Misuse);
    CHECK_THROWS_AS(s.backward(s.dgamma.get(), nullptr, nullptr), Misuse);
}

// A convolution that the fake cuDNN accepts. Tests start from it and break one rule each.
#pragma once

#include <cmath>

#include "tests/fakes/fixture.h"

namespace fakes {

// x [2, 5, 6, 3], w [4, 3, 3, 3], stride 2, padding 1: y [2, 3, 3, 4]; float32.
struct ConvolutionFixture {
    StreamOwner stream;
    cudnnHandle_t cudnn = nullptr;
    cudnnTensorDescriptor_t x_descriptor = nullptr, y_descriptor = nullptr;
    cudnnFilterDescriptor_t w_descriptor = nullptr;
    cudnnConvolutionDescriptor_t convolution = nullptr;
    Buffer x{ramp(2 * 5 * 6 * 3, -1, 0.25f)}, w{ramp(4 * 3 * 3 * 3, 0.5f, -0.125f)};
    Buffer y{std::vector<float>(2 * 3 * 3 * 4, NAN)};
    Buffer workspace{std::vector<float>(4096)};
    float alpha = 1, beta = 0;

    ConvolutionFixture() {
        REQUIRE(cudnnCreate(&cudnn) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnSetStream(cudnn, stream.get()) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnCreateTensorDescriptor(&x_descriptor) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnCreateTensorDescriptor(&y_descriptor) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnCreateFilterDescriptor(&w_descriptor) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnCreateConvolutionDescriptor(&convolution) == CUDNN_STATUS_SUCCESS);
        set_x(CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 3, 5, 6);
        REQUIRE(cudnnSetTensor4dDescriptor(y_descriptor, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 4, 3, 3) ==
                CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnSetFilter4dDescriptor(w_descriptor, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 4, 3, 3, 3) ==
                CUDNN_STATUS_SUCCESS);
        set_convolution(1, 2);
        REQUIRE(cudnnSetConvolutionMathType(convolution, CUDNN_FMA_MATH) == CUDNN_STATUS_SUCCESS);
    }
    ConvolutionFixture(const ConvolutionFixture&) = delete;
    ConvolutionFixture& operator=(const ConvolutionFixture&) = delete;
    ~ConvolutionFixture() {
        cudnnDestroyConvolutionDescriptor(convolution);
        cudnnDestroyFilterDescriptor(w_descriptor);
        cudnnDestroyTensorDescriptor(y_descriptor);
        cudnnDestroyTensorDescriptor(x_descriptor);
        cudnnDestroy(cudnn);
    }

    void set_x(cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c, int h, int width) {
        REQUIRE(cudnnSetTensor4dDescriptor(x_descriptor, format, type, n, c, h, width) == CUDNN_STATUS_SUCCESS);
    }
    void set_convolution(int pad, int stride, int dilation = 1) {
        REQUIRE(cudnnSetConvolution2dDescriptor(convolution, pad, pad, stride, stride, dilation, dilation,
                                                CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT) == CUDNN_STATUS_SUCCESS);
    }

    cudnnStatus_t forward(cudnnConvolutionFwdAlgo_t algorithm, void* space, size_t bytes) {
        return cudnnConvolutionForward(cudnn, &alpha, x_descriptor, x.get(), w_descriptor, w.get(), convolution,
                                       algorithm, space, bytes, &beta, y_descriptor, y.get());
    }
    cudnnStatus_t forward(cudnnConvolutionFwdAlgo_t algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM) {
        return forward(algorithm, workspace.get(), workspace.bytes());
    }
    size_t workspace_bytes(cudnnConvolutionFwdAlgo_t algorithm) {
        size_t bytes = 0;
        REQUIRE(cudnnGetConvolutionForwardWorkspaceSize(cudnn, x_descriptor, w_descriptor, convolution, y_descriptor,
                                                        algorithm, &bytes) == CUDNN_STATUS_SUCCESS);
        return bytes;
    }
    float expected_y(int n, int row, int column, int k) const {
        const auto xs = x.values(), ws = w.values();
        double sum = 0;
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j)
                for (int c = 0; c < 3; ++c) {
                    const int from_row = 2 * row - 1 + i, from_column = 2 * column - 1 + j;
                    if (from_row < 0 || from_row > 4 || from_column < 0 || from_column > 5) continue;
                    sum +=
                        double{xs[((n * 5 + from_row) * 6 + from_column) * 3 + c]} * ws[((k * 3 + i) * 3 + j) * 3 + c];
                }
        return static_cast<float>(sum);
    }
};

}  // namespace fakes

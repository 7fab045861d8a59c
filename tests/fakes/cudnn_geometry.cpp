// Whether cuDNN accepts a convolution's descriptors together.
#include "tests/fakes/cudnn_convolution.h"

namespace fakes {
namespace {

int out_extent(int in, int kernel, int pad, int stride, int dilation) {
    return (in + 2 * pad - ((kernel - 1) * dilation + 1)) / stride + 1;
}

}  // namespace

ConvolutionGeometry geometry_of(cudnnTensorDescriptor_t x_descriptor, cudnnFilterDescriptor_t w_descriptor,
                                cudnnConvolutionDescriptor_t convolution_descriptor,
                                cudnnTensorDescriptor_t y_descriptor) {
    const auto& x = tensor_at(x_descriptor, "the descriptor of x");
    const auto& w = filter_at(w_descriptor, "the descriptor of w");
    const auto& convolution = convolution_at(convolution_descriptor);
    const auto& y = tensor_at(y_descriptor, "the descriptor of y");

    require(x.type == w.type && x.type == y.type, CUDNN_STATUS_BAD_PARAM, "x, w and y differ in type");
    require(convolution.compute == CUDNN_DATA_FLOAT, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE,
            "the compute type is not float32");
    require(convolution.math != CUDNN_FMA_MATH || x.type == CUDNN_DATA_FLOAT, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE,
            "FMA math does not support bfloat16");
    require(x.format == CUDNN_TENSOR_NHWC && w.format == CUDNN_TENSOR_NHWC && y.format == CUDNN_TENSOR_NHWC,
            CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "x, w and y are not all NHWC");
    if (convolution.mode != CUDNN_CROSS_CORRELATION) throw Misuse("the fake cuDNN has only cross-correlation");

    require(w.c == x.c, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "w and x differ in input channels");
    require(w.k == y.c, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "w and y differ in output channels");
    require(x.n == y.n, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "x and y differ in batch size");
    const int out_h = out_extent(x.h, w.h, convolution.pad_h, convolution.stride_h, convolution.dilation_h);
    const int out_w = out_extent(x.w, w.w, convolution.pad_w, convolution.stride_w, convolution.dilation_w);
    require(out_h == y.h && out_w == y.w, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
            "y is " + std::to_string(y.h) + "x" + std::to_string(y.w) + ", the convolution gives " +
                std::to_string(out_h) + "x" + std::to_string(out_w));

    return {.n = x.n,
            .h = x.h,
            .w = x.w,
            .c = x.c,
            .k = w.k,
            .kernel_h = w.h,
            .kernel_w = w.w,
            .out_h = out_h,
            .out_w = out_w,
            .pad_h = convolution.pad_h,
            .pad_w = convolution.pad_w,
            .stride_h = convolution.stride_h,
            .stride_w = convolution.stride_w,
            .dilation_h = convolution.dilation_h,
            .dilation_w = convolution.dilation_w,
            .storage = storage_of(x.type),
            .rounds_to_tf32 = x.type == CUDNN_DATA_FLOAT && convolution.math != CUDNN_FMA_MATH};
}

}  // namespace fakes

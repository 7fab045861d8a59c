// What the graphs of the fake cuDNN compute, on float32 arrays.
#pragma once

#include <vector>

#include "tests/fakes/cudnn_engines.h"

namespace fakes {

// x [n, h, w, c], weights [k, kernel_h, kernel_w, c], y [n, out_h, out_w, k]. Padding after the image follows from the
// extents of y.
struct ConvolutionGeometry {
    int n, h, w, c;
    int k, kernel_h, kernel_w;
    int out_h, out_w;
    int pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;

    size_t x_elements() const { return size_t(n) * h * w * c; }
    size_t w_elements() const { return size_t(k) * kernel_h * kernel_w * c; }
    size_t y_elements() const { return size_t(n) * out_h * out_w * k; }
    int taps() const { return kernel_h * kernel_w; }
};

std::vector<float> convolve(const ConvolutionGeometry& g, const std::vector<float>& x, const std::vector<float>& w,
                            SumOrder order);
std::vector<float> convolve_backward_data(const ConvolutionGeometry& g, const std::vector<float>& w,
                                          const std::vector<float>& dy, SumOrder order);
std::vector<float> convolve_backward_filter(const ConvolutionGeometry& g, const std::vector<float>& x,
                                            const std::vector<float>& dy, SumOrder order);

// ---- batch norm of x [rows, channels]; the statistics are computed in float64

struct BatchNormResult {
    std::vector<float> y, mean, inverse_std, unbiased_variance;
};
BatchNormResult normalise(const std::vector<float>& x, const std::vector<float>& gamma, const std::vector<float>& beta,
                          float epsilon);

struct BatchNormGradients {
    std::vector<float> dx, dgamma, dbeta;
};
BatchNormGradients normalise_backward(const std::vector<float>& x, const std::vector<float>& dy,
                                      const std::vector<float>& gamma, const std::vector<float>& mean,
                                      const std::vector<float>& inverse_std);

}  // namespace fakes

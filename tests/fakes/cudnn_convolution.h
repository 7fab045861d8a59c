// Convolution in the stand-in of cuDNN: its geometry, its algorithms, and its loops.
#pragma once

#include <set>

#include "tests/fakes/cudnn_objects.h"

namespace fakes {

// x [n, h, w, c], weights [k, kernel_h, kernel_w, c], y [n, out_h, out_w, k].
struct ConvolutionGeometry {
    int n, h, w, c;
    int k, kernel_h, kernel_w;
    int out_h, out_w;
    int pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;
    Storage storage;
    bool rounds_to_tf32;  // float32 operands before they are multiplied

    size_t x_elements() const { return size_t(n) * h * w * c; }
    size_t w_elements() const { return size_t(k) * kernel_h * kernel_w * c; }
    size_t y_elements() const { return size_t(n) * out_h * out_w * k; }
    int taps() const { return kernel_h * kernel_w; }
};

// Checks the descriptors one by one and against each other. Refuses what cuDNN is documented to refuse, among it every
// layout but NHWC with NHWC weights that this stand-in could compute.
ConvolutionGeometry geometry_of(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y);

// The order in which products are added, by which algorithms differ in rounding: from the end or the beginning, and
// starting `rotation` terms later.
struct SumOrder {
    bool reversed = false;
    unsigned rotation = 0;

    int at(int i, int count) const {
        const int turned = static_cast<int>((unsigned(i) + rotation) % unsigned(count));
        return reversed ? count - 1 - turned : turned;
    }
};

// Plain loops over float32 arrays, sums in float32. Arrays have the elements that the geometry says.
std::vector<float> convolve(const ConvolutionGeometry& g, const std::vector<float>& x, const std::vector<float>& w,
                            SumOrder order);
std::vector<float> convolve_backward_data(const ConvolutionGeometry& g, const std::vector<float>& w,
                                          const std::vector<float>& dy, SumOrder order);
std::vector<float> convolve_backward_filter(const ConvolutionGeometry& g, const std::vector<float>& x,
                                            const std::vector<float>& dy, SumOrder order);

// ---- algorithms, as far as they differ to a caller

// What of one algorithm a caller can see.
struct AlgorithmTraits {
    bool supported;  // For NHWC in float32 or bfloat16.
    bool deterministic;
    size_t workspace_bytes;
};

AlgorithmTraits traits_of(cudnnConvolutionFwdAlgo_t algorithm, const ConvolutionGeometry& g);
AlgorithmTraits traits_of(cudnnConvolutionBwdDataAlgo_t algorithm, const ConvolutionGeometry& g);
AlgorithmTraits traits_of(cudnnConvolutionBwdFilterAlgo_t algorithm, const ConvolutionGeometry& g);

// How an algorithm adds this time: the same each time where it is deterministic.
SumOrder next_order(int algorithm, bool deterministic);

// The most results that the functions that rank algorithms return.
template <class Algorithm>
constexpr int kAlgorithmCount = 0;
template <>
inline constexpr int kAlgorithmCount<cudnnConvolutionFwdAlgo_t> = CUDNN_CONVOLUTION_FWD_ALGO_COUNT;
template <>
inline constexpr int kAlgorithmCount<cudnnConvolutionBwdDataAlgo_t> = CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT;
template <>
inline constexpr int kAlgorithmCount<cudnnConvolutionBwdFilterAlgo_t> = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT;
// Each algorithm with the math type asked for and with the default one.
template <class Algorithm>
constexpr int kMostResults = 2 * kAlgorithmCount<Algorithm>;

// While this lives, every run of these forward algorithms answers NOT_SUPPORTED, though they are offered.
class RefusedForwardAlgorithms {
  public:
    explicit RefusedForwardAlgorithms(const std::set<cudnnConvolutionFwdAlgo_t>& algorithms);
    ~RefusedForwardAlgorithms();
    RefusedForwardAlgorithms(const RefusedForwardAlgorithms&) = delete;
    RefusedForwardAlgorithms& operator=(const RefusedForwardAlgorithms&) = delete;
};
bool runs_are_refused(cudnnConvolutionFwdAlgo_t algorithm);

}  // namespace fakes

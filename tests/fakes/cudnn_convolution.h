// Convolution in the fake cuDNN: its geometry, its algorithms and its loops.
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
    bool rounds_to_tf32;  // rounds float32 operands before the multiplication

    size_t x_elements() const { return size_t(n) * h * w * c; }
    size_t w_elements() const { return size_t(k) * kernel_h * kernel_w * c; }
    size_t y_elements() const { return size_t(n) * out_h * out_w * k; }
    int taps() const { return kernel_h * kernel_w; }
};

// Checks each descriptor and that they are compatible. Refuses what cuDNN is documented to refuse, and layouts other
// than NHWC, which the fake does not have.
ConvolutionGeometry geometry_of(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y);

// The order in which products are added; it makes the algorithms round differently. The sum starts `rotation` terms
// later and runs backward if `reversed`.
struct SumOrder {
    bool reversed = false;
    unsigned rotation = 0;

    int at(int i, int count) const {
        const int rotated = static_cast<int>((unsigned(i) + rotation) % unsigned(count));
        return reversed ? count - 1 - rotated : rotated;
    }
};

// Plain loops over float32 arrays with float32 sums. The sizes of the arrays are given by the geometry.
std::vector<float> convolve(const ConvolutionGeometry& g, const std::vector<float>& x, const std::vector<float>& w,
                            SumOrder order);
std::vector<float> convolve_backward_data(const ConvolutionGeometry& g, const std::vector<float>& w,
                                          const std::vector<float>& dy, SumOrder order);
std::vector<float> convolve_backward_filter(const ConvolutionGeometry& g, const std::vector<float>& x,
                                            const std::vector<float>& dy, SumOrder order);

// ---- algorithms

// The properties of an algorithm that a caller can observe.
struct AlgorithmTraits {
    bool supported;  // for NHWC in float32 or bfloat16
    bool deterministic;
    size_t workspace_bytes;
};

AlgorithmTraits traits_of(cudnnConvolutionFwdAlgo_t algorithm, const ConvolutionGeometry& g);
AlgorithmTraits traits_of(cudnnConvolutionBwdDataAlgo_t algorithm, const ConvolutionGeometry& g);
AlgorithmTraits traits_of(cudnnConvolutionBwdFilterAlgo_t algorithm, const ConvolutionGeometry& g);

// The order for the next run of an algorithm: the same every time if it is deterministic.
SumOrder next_order(int algorithm, bool deterministic);

// The number of algorithms in each direction.
template <class Algorithm>
constexpr int kAlgorithmCount = 0;
template <>
inline constexpr int kAlgorithmCount<cudnnConvolutionFwdAlgo_t> = CUDNN_CONVOLUTION_FWD_ALGO_COUNT;
template <>
inline constexpr int kAlgorithmCount<cudnnConvolutionBwdDataAlgo_t> = CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT;
template <>
inline constexpr int kAlgorithmCount<cudnnConvolutionBwdFilterAlgo_t> = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT;
// An upper bound: each algorithm with the requested math type and with the default one.
template <class Algorithm>
constexpr int kMaxResults = 2 * kAlgorithmCount<Algorithm>;

// During its lifetime, running these forward algorithms returns NOT_SUPPORTED although the heuristic still offers them.
class RefusedForwardAlgorithms {
  public:
    explicit RefusedForwardAlgorithms(const std::set<cudnnConvolutionFwdAlgo_t>& algorithms);
    ~RefusedForwardAlgorithms();
    RefusedForwardAlgorithms(const RefusedForwardAlgorithms&) = delete;
    RefusedForwardAlgorithms& operator=(const RefusedForwardAlgorithms&) = delete;
};
bool runs_are_refused(cudnnConvolutionFwdAlgo_t algorithm);

}  // namespace fakes

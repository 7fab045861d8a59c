// Which of cuDNN's algorithms support NHWC, and how they differ for a caller.
#include "tests/fakes/cudnn_convolution.h"

namespace fakes {
namespace {

// Different for each direction, algorithm and shape, never zero, and not a round number.
size_t workspace_bytes(int direction, int algorithm, const ConvolutionGeometry& g) {
    return 1000 + 100 * size_t(direction) + 10 * size_t(algorithm) + g.w_elements() + size_t(g.out_h) * g.out_w;
}

std::set<cudnnConvolutionFwdAlgo_t>& refused_forward_algorithms() {
    static auto* const algorithms = new std::set<cudnnConvolutionFwdAlgo_t>;
    return *algorithms;
}

}  // namespace

// The documentation lists two algorithms in each direction for weights in NHWC.
AlgorithmTraits traits_of(cudnnConvolutionFwdAlgo_t algorithm, const ConvolutionGeometry& g) {
    return {algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM ||
                algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
            true, workspace_bytes(0, algorithm, g)};
}

AlgorithmTraits traits_of(cudnnConvolutionBwdDataAlgo_t algorithm, const ConvolutionGeometry& g) {
    return {algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0 || algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1,
            algorithm != CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, workspace_bytes(1, algorithm, g)};
}

AlgorithmTraits traits_of(cudnnConvolutionBwdFilterAlgo_t algorithm, const ConvolutionGeometry& g) {
    return {algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 || algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1,
            algorithm != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 && algorithm != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3,
            workspace_bytes(2, algorithm, g)};
}

SumOrder next_order(int algorithm, bool deterministic) {
    static unsigned runs = 0;
    return {algorithm % 2 == 1, deterministic ? 0 : ++runs};
}

RefusedForwardAlgorithms::RefusedForwardAlgorithms(const std::set<cudnnConvolutionFwdAlgo_t>& algorithms) {
    refused_forward_algorithms() = algorithms;
}
RefusedForwardAlgorithms::~RefusedForwardAlgorithms() {
    refused_forward_algorithms().clear();
}
bool runs_are_refused(cudnnConvolutionFwdAlgo_t algorithm) {
    return refused_forward_algorithms().count(algorithm) > 0;
}

}  // namespace fakes

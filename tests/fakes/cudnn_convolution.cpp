// cuDNN's functions for convolution and its two gradients.
#include "tests/fakes/cudnn_convolution_calls.h"

using namespace fakes;

// ---- forward

cudnnStatus_t cudnnGetConvolutionForwardAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
    return max_results<cudnnConvolutionFwdAlgo_t>(__func__, handle, count);
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                     cudnnFilterDescriptor_t w,
                                                     cudnnConvolutionDescriptor_t convolution,
                                                     cudnnTensorDescriptor_t y, int max_count, int* count,
                                                     cudnnConvolutionFwdAlgoPerf_t* out) {
    return heuristic(__func__, handle, x, w, convolution, y, max_count, count, out);
}

cudnnStatus_t cudnnFindConvolutionForwardAlgorithmEx(cudnnHandle_t handle, cudnnTensorDescriptor_t x_descriptor,
                                                     const void* x, cudnnFilterDescriptor_t w_descriptor, const void* w,
                                                     cudnnConvolutionDescriptor_t convolution,
                                                     cudnnTensorDescriptor_t y_descriptor, void* y, int max_count,
                                                     int* count, cudnnConvolutionFwdAlgoPerf_t* out, void* workspace,
                                                     size_t workspace_bytes) {
    return measure<Forward>(__func__, handle, x_descriptor, x, w_descriptor, w, convolution, y_descriptor, y, y,
                            max_count, count, out, {workspace, workspace_bytes});
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                      cudnnFilterDescriptor_t w,
                                                      cudnnConvolutionDescriptor_t convolution,
                                                      cudnnTensorDescriptor_t y, cudnnConvolutionFwdAlgo_t algorithm,
                                                      size_t* bytes) {
    return workspace_size(__func__, handle, x, w, convolution, y, algorithm, bytes);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_descriptor,
                                      const void* x, cudnnFilterDescriptor_t w_descriptor, const void* w,
                                      cudnnConvolutionDescriptor_t convolution, cudnnConvolutionFwdAlgo_t algorithm,
                                      void* workspace, size_t workspace_bytes, const void* beta,
                                      cudnnTensorDescriptor_t y_descriptor, void* y) {
    return run<Forward>(__func__, handle, alpha, x_descriptor, x, w_descriptor, w, convolution, algorithm,
                        {workspace, workspace_bytes}, beta, y_descriptor, y, y);
}

// ---- gradient of x

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
    return max_results<cudnnConvolutionBwdDataAlgo_t>(__func__, handle, count);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t handle, cudnnFilterDescriptor_t w,
                                                          cudnnTensorDescriptor_t dy,
                                                          cudnnConvolutionDescriptor_t convolution,
                                                          cudnnTensorDescriptor_t dx, int max_count, int* count,
                                                          cudnnConvolutionBwdDataAlgoPerf_t* out) {
    return heuristic(__func__, handle, dx, w, convolution, dy, max_count, count, out);
}

cudnnStatus_t cudnnFindConvolutionBackwardDataAlgorithmEx(
    cudnnHandle_t handle, cudnnFilterDescriptor_t w_descriptor, const void* w, cudnnTensorDescriptor_t dy_descriptor,
    const void* dy, cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t dx_descriptor, void* dx,
    int max_count, int* count, cudnnConvolutionBwdDataAlgoPerf_t* out, void* workspace, size_t workspace_bytes) {
    return measure<BackwardData>(__func__, handle, dx_descriptor, dx, w_descriptor, w, convolution, dy_descriptor, dy,
                                 dx, max_count, count, out, {workspace, workspace_bytes});
}

cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t handle, cudnnFilterDescriptor_t w,
                                                           cudnnTensorDescriptor_t dy,
                                                           cudnnConvolutionDescriptor_t convolution,
                                                           cudnnTensorDescriptor_t dx,
                                                           cudnnConvolutionBwdDataAlgo_t algorithm, size_t* bytes) {
    return workspace_size(__func__, handle, dx, w, convolution, dy, algorithm, bytes);
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                           cudnnFilterDescriptor_t w_descriptor, const void* w,
                                           cudnnTensorDescriptor_t dy_descriptor, const void* dy,
                                           cudnnConvolutionDescriptor_t convolution,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                           size_t workspace_bytes, const void* beta,
                                           cudnnTensorDescriptor_t dx_descriptor, void* dx) {
    return run<BackwardData>(__func__, handle, alpha, dx_descriptor, dx, w_descriptor, w, convolution, algorithm,
                             {workspace, workspace_bytes}, beta, dy_descriptor, dy, dx);
}

// ---- gradient of the weights

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
    return max_results<cudnnConvolutionBwdFilterAlgo_t>(__func__, handle, count);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                            cudnnTensorDescriptor_t dy,
                                                            cudnnConvolutionDescriptor_t convolution,
                                                            cudnnFilterDescriptor_t dw, int max_count, int* count,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t* out) {
    return heuristic(__func__, handle, x, dw, convolution, dy, max_count, count, out);
}

cudnnStatus_t cudnnFindConvolutionBackwardFilterAlgorithmEx(
    cudnnHandle_t handle, cudnnTensorDescriptor_t x_descriptor, const void* x, cudnnTensorDescriptor_t dy_descriptor,
    const void* dy, cudnnConvolutionDescriptor_t convolution, cudnnFilterDescriptor_t dw_descriptor, void* dw,
    int max_count, int* count, cudnnConvolutionBwdFilterAlgoPerf_t* out, void* workspace, size_t workspace_bytes) {
    return measure<BackwardFilter>(__func__, handle, x_descriptor, x, dw_descriptor, dw, convolution, dy_descriptor, dy,
                                   dw, max_count, count, out, {workspace, workspace_bytes});
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                             cudnnTensorDescriptor_t dy,
                                                             cudnnConvolutionDescriptor_t convolution,
                                                             cudnnFilterDescriptor_t dw,
                                                             cudnnConvolutionBwdFilterAlgo_t algorithm, size_t* bytes) {
    return workspace_size(__func__, handle, x, dw, convolution, dy, algorithm, bytes);
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                             cudnnTensorDescriptor_t x_descriptor, const void* x,
                                             cudnnTensorDescriptor_t dy_descriptor, const void* dy,
                                             cudnnConvolutionDescriptor_t convolution,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace,
                                             size_t workspace_bytes, const void* beta,
                                             cudnnFilterDescriptor_t dw_descriptor, void* dw) {
    return run<BackwardFilter>(__func__, handle, alpha, x_descriptor, x, dw_descriptor, dw, convolution, algorithm,
                               {workspace, workspace_bytes}, beta, dy_descriptor, dy, dw);
}

// A common interface to cuDNN's calls for a convolution and its two gradients, so that algorithm selection is written
// once: heuristic (cuDNN's estimate of the fastest algorithms), measure (runs and times them), workspace_bytes, run.
#pragma once

#include "engine/backend/cuda/handles.h"

namespace residual::cuda {

// Gradients have the same shapes as x, w and y.
struct ConvolutionShapes {
    TensorDescriptor x;
    FilterDescriptor w;
    TensorDescriptor y;
    ConvolutionDescriptor convolution;
};

// Device memory. Each direction reads two of these, or their gradients, and writes the third.
struct ConvolutionOperands {
    void* x;
    void* w;
    void* y;
};

struct Workspace {
    void* pointer;
    size_t bytes;
};

struct ForwardDirection {
    using Result = cudnnConvolutionFwdAlgoPerf_t;
    using Algorithm = cudnnConvolutionFwdAlgo_t;
    static constexpr const char* kName = "cudnnConvolutionForward";
    static constexpr Algorithm kFallback = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;

    static cudnnStatus_t max_count(cudnnHandle_t cudnn, int* count) {
        return cudnnGetConvolutionForwardAlgorithmMaxCount(cudnn, count);
    }
    static cudnnStatus_t heuristic(cudnnHandle_t cudnn, const ConvolutionShapes& s, int limit, int* count,
                                   Result* out) {
        return cudnnGetConvolutionForwardAlgorithm_v7(cudnn, s.x.get(), s.w.get(), s.convolution.get(), s.y.get(),
                                                      limit, count, out);
    }
    static cudnnStatus_t measure(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                                 int limit, int* count, Result* out, const Workspace& workspace) {
        return cudnnFindConvolutionForwardAlgorithmEx(cudnn, s.x.get(), o.x, s.w.get(), o.w, s.convolution.get(),
                                                      s.y.get(), o.y, limit, count, out, workspace.pointer,
                                                      workspace.bytes);
    }
    static cudnnStatus_t workspace_bytes(cudnnHandle_t cudnn, const ConvolutionShapes& s, Algorithm algorithm,
                                         size_t* bytes) {
        return cudnnGetConvolutionForwardWorkspaceSize(cudnn, s.x.get(), s.w.get(), s.convolution.get(), s.y.get(),
                                                       algorithm, bytes);
    }
    static cudnnStatus_t run(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                             Algorithm algorithm, const Workspace& workspace) {
        return cudnnConvolutionForward(cudnn, &kOne, s.x.get(), o.x, s.w.get(), o.w, s.convolution.get(), algorithm,
                                       workspace.pointer, workspace.bytes, &kZero, s.y.get(), o.y);
    }
};

struct BackwardDataDirection {
    using Result = cudnnConvolutionBwdDataAlgoPerf_t;
    using Algorithm = cudnnConvolutionBwdDataAlgo_t;
    static constexpr const char* kName = "cudnnConvolutionBackwardData";
    static constexpr Algorithm kFallback = CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;

    static cudnnStatus_t max_count(cudnnHandle_t cudnn, int* count) {
        return cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnn, count);
    }
    static cudnnStatus_t heuristic(cudnnHandle_t cudnn, const ConvolutionShapes& s, int limit, int* count,
                                   Result* out) {
        return cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnn, s.w.get(), s.y.get(), s.convolution.get(), s.x.get(),
                                                           limit, count, out);
    }
    static cudnnStatus_t measure(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                                 int limit, int* count, Result* out, const Workspace& workspace) {
        return cudnnFindConvolutionBackwardDataAlgorithmEx(cudnn, s.w.get(), o.w, s.y.get(), o.y, s.convolution.get(),
                                                           s.x.get(), o.x, limit, count, out, workspace.pointer,
                                                           workspace.bytes);
    }
    static cudnnStatus_t workspace_bytes(cudnnHandle_t cudnn, const ConvolutionShapes& s, Algorithm algorithm,
                                         size_t* bytes) {
        return cudnnGetConvolutionBackwardDataWorkspaceSize(cudnn, s.w.get(), s.y.get(), s.convolution.get(), s.x.get(),
                                                            algorithm, bytes);
    }
    static cudnnStatus_t run(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                             Algorithm algorithm, const Workspace& workspace) {
        return cudnnConvolutionBackwardData(cudnn, &kOne, s.w.get(), o.w, s.y.get(), o.y, s.convolution.get(),
                                            algorithm, workspace.pointer, workspace.bytes, &kZero, s.x.get(), o.x);
    }
};

struct BackwardWeightDirection {
    using Result = cudnnConvolutionBwdFilterAlgoPerf_t;
    using Algorithm = cudnnConvolutionBwdFilterAlgo_t;
    static constexpr const char* kName = "cudnnConvolutionBackwardFilter";
    static constexpr Algorithm kFallback = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;

    static cudnnStatus_t max_count(cudnnHandle_t cudnn, int* count) {
        return cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnn, count);
    }
    static cudnnStatus_t heuristic(cudnnHandle_t cudnn, const ConvolutionShapes& s, int limit, int* count,
                                   Result* out) {
        return cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnn, s.x.get(), s.y.get(), s.convolution.get(),
                                                             s.w.get(), limit, count, out);
    }
    static cudnnStatus_t measure(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                                 int limit, int* count, Result* out, const Workspace& workspace) {
        return cudnnFindConvolutionBackwardFilterAlgorithmEx(cudnn, s.x.get(), o.x, s.y.get(), o.y, s.convolution.get(),
                                                             s.w.get(), o.w, limit, count, out, workspace.pointer,
                                                             workspace.bytes);
    }
    static cudnnStatus_t workspace_bytes(cudnnHandle_t cudnn, const ConvolutionShapes& s, Algorithm algorithm,
                                         size_t* bytes) {
        return cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnn, s.x.get(), s.y.get(), s.convolution.get(),
                                                              s.w.get(), algorithm, bytes);
    }
    static cudnnStatus_t run(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                             Algorithm algorithm, const Workspace& workspace) {
        return cudnnConvolutionBackwardFilter(cudnn, &kOne, s.x.get(), o.x, s.y.get(), o.y, s.convolution.get(),
                                              algorithm, workspace.pointer, workspace.bytes, &kZero, s.w.get(), o.w);
    }
};

}  // namespace residual::cuda

// cuDNN's calls for a convolution and its two gradients under one set of names, so that choosing an algorithm is
// written once. Each direction has: heuristic (cuDNN's guess at the fastest algorithms), measure (runs and times them),
// workspace_bytes, and run.
#pragma once

#include "engine/backend/cuda/handles.h"

namespace residual::cuda {

// What x, w and y of one convolution look like; their gradients look the same.
struct ConvolutionShapes {
    TensorDescriptor x;
    FilterDescriptor w;
    TensorDescriptor y;
    ConvolutionDescriptor convolution;
};

// Device memory: two of them are read and one is written, in backward directions as gradients.
struct ConvolutionOperands {
    void* x;
    void* w;
    void* y;
};

struct Workspace {
    void* pointer;
    size_t bytes;
};

inline constexpr float kOne = 1.0f;
inline constexpr float kZero = 0.0f;

struct ForwardDirection {
    using Result = cudnnConvolutionFwdAlgoPerf_t;
    using Algorithm = cudnnConvolutionFwdAlgo_t;
    static constexpr const char* kName = "cudnnConvolutionForward";
    static constexpr Algorithm kFallback = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;

    static cudnnStatus_t count(cudnnHandle_t cudnn, int* most) {
        return cudnnGetConvolutionForwardAlgorithmMaxCount(cudnn, most);
    }
    static cudnnStatus_t heuristic(cudnnHandle_t cudnn, const ConvolutionShapes& s, int most, int* count, Result* out) {
        return cudnnGetConvolutionForwardAlgorithm_v7(cudnn, s.x.get(), s.w.get(), s.convolution.get(), s.y.get(), most,
                                                      count, out);
    }
    static cudnnStatus_t measure(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                                 int most, int* count, Result* out, const Workspace& space) {
        return cudnnFindConvolutionForwardAlgorithmEx(cudnn, s.x.get(), o.x, s.w.get(), o.w, s.convolution.get(),
                                                      s.y.get(), o.y, most, count, out, space.pointer, space.bytes);
    }
    static cudnnStatus_t workspace_bytes(cudnnHandle_t cudnn, const ConvolutionShapes& s, Algorithm algorithm,
                                         size_t* bytes) {
        return cudnnGetConvolutionForwardWorkspaceSize(cudnn, s.x.get(), s.w.get(), s.convolution.get(), s.y.get(),
                                                       algorithm, bytes);
    }
    static cudnnStatus_t run(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                             Algorithm algorithm, const Workspace& space) {
        return cudnnConvolutionForward(cudnn, &kOne, s.x.get(), o.x, s.w.get(), o.w, s.convolution.get(), algorithm,
                                       space.pointer, space.bytes, &kZero, s.y.get(), o.y);
    }
};

struct BackwardDataDirection {
    using Result = cudnnConvolutionBwdDataAlgoPerf_t;
    using Algorithm = cudnnConvolutionBwdDataAlgo_t;
    static constexpr const char* kName = "cudnnConvolutionBackwardData";
    static constexpr Algorithm kFallback = CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;

    static cudnnStatus_t count(cudnnHandle_t cudnn, int* most) {
        return cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnn, most);
    }
    static cudnnStatus_t heuristic(cudnnHandle_t cudnn, const ConvolutionShapes& s, int most, int* count, Result* out) {
        return cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnn, s.w.get(), s.y.get(), s.convolution.get(), s.x.get(),
                                                           most, count, out);
    }
    static cudnnStatus_t measure(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                                 int most, int* count, Result* out, const Workspace& space) {
        return cudnnFindConvolutionBackwardDataAlgorithmEx(cudnn, s.w.get(), o.w, s.y.get(), o.y, s.convolution.get(),
                                                           s.x.get(), o.x, most, count, out, space.pointer,
                                                           space.bytes);
    }
    static cudnnStatus_t workspace_bytes(cudnnHandle_t cudnn, const ConvolutionShapes& s, Algorithm algorithm,
                                         size_t* bytes) {
        return cudnnGetConvolutionBackwardDataWorkspaceSize(cudnn, s.w.get(), s.y.get(), s.convolution.get(), s.x.get(),
                                                            algorithm, bytes);
    }
    static cudnnStatus_t run(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                             Algorithm algorithm, const Workspace& space) {
        return cudnnConvolutionBackwardData(cudnn, &kOne, s.w.get(), o.w, s.y.get(), o.y, s.convolution.get(),
                                            algorithm, space.pointer, space.bytes, &kZero, s.x.get(), o.x);
    }
};

struct BackwardWeightDirection {
    using Result = cudnnConvolutionBwdFilterAlgoPerf_t;
    using Algorithm = cudnnConvolutionBwdFilterAlgo_t;
    static constexpr const char* kName = "cudnnConvolutionBackwardFilter";
    static constexpr Algorithm kFallback = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;

    static cudnnStatus_t count(cudnnHandle_t cudnn, int* most) {
        return cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnn, most);
    }
    static cudnnStatus_t heuristic(cudnnHandle_t cudnn, const ConvolutionShapes& s, int most, int* count, Result* out) {
        return cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnn, s.x.get(), s.y.get(), s.convolution.get(),
                                                             s.w.get(), most, count, out);
    }
    static cudnnStatus_t measure(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                                 int most, int* count, Result* out, const Workspace& space) {
        return cudnnFindConvolutionBackwardFilterAlgorithmEx(cudnn, s.x.get(), o.x, s.y.get(), o.y, s.convolution.get(),
                                                             s.w.get(), o.w, most, count, out, space.pointer,
                                                             space.bytes);
    }
    static cudnnStatus_t workspace_bytes(cudnnHandle_t cudnn, const ConvolutionShapes& s, Algorithm algorithm,
                                         size_t* bytes) {
        return cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnn, s.x.get(), s.y.get(), s.convolution.get(),
                                                              s.w.get(), algorithm, bytes);
    }
    static cudnnStatus_t run(cudnnHandle_t cudnn, const ConvolutionShapes& s, const ConvolutionOperands& o,
                             Algorithm algorithm, const Workspace& space) {
        return cudnnConvolutionBackwardFilter(cudnn, &kOne, s.x.get(), o.x, s.y.get(), o.y, s.convolution.get(),
                                              algorithm, space.pointer, space.bytes, &kZero, s.w.get(), o.w);
    }
};

}  // namespace residual::cuda

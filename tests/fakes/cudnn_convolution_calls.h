// The common implementation of cuDNN's functions for convolution and its two gradients.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "tests/fakes/cudnn_convolution.h"

namespace fakes {

struct Workspace {
    void* pointer;
    size_t bytes;
};

// For each direction: which of the three arrays is the output, and how it is computed.
struct Forward {
    static constexpr const char* kOutput = "y";
    static std::vector<float> compute(const ConvolutionGeometry& g, const std::vector<float>& x,
                                      const std::vector<float>& w, const std::vector<float>&, SumOrder order) {
        return convolve(g, x, w, order);
    }
};
struct BackwardData {
    static constexpr const char* kOutput = "x";
    static std::vector<float> compute(const ConvolutionGeometry& g, const std::vector<float>&,
                                      const std::vector<float>& w, const std::vector<float>& dy, SumOrder order) {
        return convolve_backward_data(g, w, dy, order);
    }
};
struct BackwardFilter {
    static constexpr const char* kOutput = "w";
    static std::vector<float> compute(const ConvolutionGeometry& g, const std::vector<float>& x,
                                      const std::vector<float>&, const std::vector<float>& dy, SumOrder order) {
        return convolve_backward_filter(g, x, dy, order);
    }
};

// One run of a convolution or a gradient. `output` is one of x, w and y.
struct Run {
    ConvolutionGeometry geometry;
    const void *x, *w, *y;
    void* output;
    Workspace workspace;
    Blend blend;
    SumOrder order;

    std::vector<float> input(const void* pointer, size_t elements) const {
        if (pointer == output) return {};
        std::vector<float> values = read_array(pointer, geometry.storage, elements);
        if (geometry.rounds_to_tf32) round_to_tf32(values);
        return values;
    }
};

// Requires the three arrays to be on the device and aligned, and the output not to overlap the inputs.
template <class Direction>
void require_arrays(const ConvolutionGeometry& g, const void* x, const void* w, const void* y,
                    const Workspace& workspace) {
    const std::vector<DeviceArray> arrays = {{"x", x, g.x_elements() * bytes_of(g.storage)},
                                             {"w", w, g.w_elements() * bytes_of(g.storage)},
                                             {"y", y, g.y_elements() * bytes_of(g.storage)}};
    for (const DeviceArray& array : arrays) require_array(array);
    const DeviceArray space{"the workspace", workspace.pointer, workspace.bytes};
    require_array(space);
    require_disjoint(space, arrays);
    std::vector<DeviceArray> others;
    DeviceArray output{};
    for (const DeviceArray& array : arrays) {
        if (std::string(array.name) == Direction::kOutput) {
            output = array;
        } else {
            others.push_back(array);
        }
    }
    require_disjoint(output, others);
}

// Memory may be freed between a capture and its replay, so the arrays are checked again when the operation runs.
template <class Direction>
void queue_run(cudaStream_t stream, const char* call, const Run& run) {
    queue(stream, call, [run] {
        const ConvolutionGeometry& g = run.geometry;
        require_arrays<Direction>(g, run.x, run.w, run.y, run.workspace);
        fill_with_garbage(run.workspace.pointer, run.workspace.bytes);
        const auto result = Direction::compute(g, run.input(run.x, g.x_elements()), run.input(run.w, g.w_elements()),
                                               run.input(run.y, g.y_elements()), run.order);
        write_array(run.output, g.storage, result, run.blend);
    });
}

template <class Algorithm>
AlgorithmTraits supported_traits(Algorithm algorithm, const ConvolutionGeometry& g) {
    require(algorithm >= 0 && algorithm < kAlgorithmCount<Algorithm>, CUDNN_STATUS_BAD_PARAM, "unknown algorithm");
    const AlgorithmTraits traits = traits_of(algorithm, g);
    require(traits.supported, CUDNN_STATUS_NOT_SUPPORTED, "the algorithm does not support NHWC");
    return traits;
}

template <class Direction, class Algorithm>
cudnnStatus_t run(const char* call, cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_descriptor,
                  const void* x, cudnnFilterDescriptor_t w_descriptor, const void* w,
                  cudnnConvolutionDescriptor_t convolution, Algorithm algorithm, const Workspace& workspace,
                  const void* beta, cudnnTensorDescriptor_t y_descriptor, const void* y, void* output) {
    return status_of(call, [&] {
        const cudaStream_t stream = live_stream(cudnn_at(handle));
        const auto geometry = geometry_of(x_descriptor, w_descriptor, convolution, y_descriptor);
        require_pointer(alpha, "alpha");
        require_pointer(beta, "beta");
        const AlgorithmTraits traits = supported_traits(algorithm, geometry);
        if constexpr (std::is_same_v<Algorithm, cudnnConvolutionFwdAlgo_t>) {
            require(!runs_are_refused(algorithm), CUDNN_STATUS_NOT_SUPPORTED,
                    "refused because of RefusedForwardAlgorithms");
        }
        require_pointer(workspace.pointer, "the workspace");
        require(workspace.bytes >= traits.workspace_bytes, CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT,
                "the workspace has " + std::to_string(workspace.bytes) + " bytes, the algorithm needs " +
                    std::to_string(traits.workspace_bytes));
        require_arrays<Direction>(geometry, x, w, y, workspace);
        queue_run<Direction>(stream, call,
                             {geometry,
                              x,
                              w,
                              y,
                              output,
                              {workspace.pointer, traits.workspace_bytes},
                              {*static_cast<const float*>(alpha), *static_cast<const float*>(beta)},
                              next_order(algorithm, traits.deterministic)});
    });
}

template <class Algorithm>
cudnnStatus_t workspace_size(const char* call, cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                             cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t convolution,
                             cudnnTensorDescriptor_t y, Algorithm algorithm, size_t* bytes) {
    return status_of(call, [&] {
        cudnn_at(handle);
        require_pointer(bytes, "the pointer to the size");
        *bytes = supported_traits(algorithm, geometry_of(x, w, convolution, y)).workspace_bytes;
    });
}

template <class Algorithm>
cudnnStatus_t max_results(const char* call, cudnnHandle_t handle, int* count) {
    return status_of(call, [&] {
        cudnn_at(handle);
        require_pointer(count, "the pointer to the count");
        *count = kMaxResults<Algorithm>;
    });
}

// All algorithms with the requested math type (and the default one), supported ones first, then by time: the
// non-deterministic ones are the fastest.
template <class Result>
std::vector<Result> ranked(const ConvolutionGeometry& g, cudnnMathType_t math) {
    using Algorithm = decltype(Result::algo);
    std::vector<Result> results;
    for (int i = 0; i < kAlgorithmCount<Algorithm>; ++i) {
        const auto traits = traits_of(static_cast<Algorithm>(i), g);
        Result result{};
        result.algo = static_cast<Algorithm>(i);
        result.status = traits.supported ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
        result.time = traits.supported ? 0.125f * static_cast<float>(1 + i) : -1.0f;
        result.memory = traits.workspace_bytes;
        result.determinism = traits.deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
        result.mathType = math;
        results.push_back(result);
        if (math != CUDNN_DEFAULT_MATH && traits.supported && g.storage == Storage::kFloat32) {
            result.mathType = CUDNN_DEFAULT_MATH;
            result.time += 0.0625f;
            results.push_back(result);
        }
    }
    std::stable_sort(results.begin(), results.end(), [](const Result& a, const Result& b) {
        return std::pair(a.status != CUDNN_STATUS_SUCCESS, a.time) <
               std::pair(b.status != CUDNN_STATUS_SUCCESS, b.time);
    });
    return results;
}

template <class Result>
void return_results(const std::vector<Result>& results, int max_count, int* count, Result* out) {
    require(max_count > 0, CUDNN_STATUS_BAD_PARAM, "no results requested");
    require_pointer(count, "the pointer to the count of results");
    require_pointer(out, "the pointer to the results");
    *count = std::min(max_count, static_cast<int>(results.size()));
    std::copy_n(results.begin(), *count, out);
}

template <class Result>
cudnnStatus_t heuristic(const char* call, cudnnHandle_t handle, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                        cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y, int max_count, int* count,
                        Result* out) {
    return status_of(call, [&] {
        cudnn_at(handle);
        const auto geometry = geometry_of(x, w, convolution, y);
        return_results(ranked<Result>(geometry, convolution_at(convolution).math), max_count, count, out);
    });
}

// Runs every algorithm whose workspace fits, then synchronises the stream, as a measurement does.
template <class Direction, class Result>
cudnnStatus_t measure(const char* call, cudnnHandle_t handle, cudnnTensorDescriptor_t x_descriptor, const void* x,
                      cudnnFilterDescriptor_t w_descriptor, const void* w, cudnnConvolutionDescriptor_t convolution,
                      cudnnTensorDescriptor_t y_descriptor, const void* y, void* output, int max_count, int* count,
                      Result* out, const Workspace& workspace) {
    return status_of(call, [&] {
        const cudaStream_t stream = live_stream(cudnn_at(handle));
        if (is_being_captured(stream)) throw Misuse(std::string(call) + " on a stream that is being captured");
        const auto geometry = geometry_of(x_descriptor, w_descriptor, convolution, y_descriptor);
        require_arrays<Direction>(geometry, x, w, y, workspace);
        auto results = ranked<Result>(geometry, convolution_at(convolution).math);
        for (Result& result : results) {
            if (result.status != CUDNN_STATUS_SUCCESS) continue;
            if (result.memory > workspace.bytes) {
                result.status = CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
                continue;
            }
            queue_run<Direction>(stream, call,
                                 {geometry,
                                  x,
                                  w,
                                  y,
                                  output,
                                  {workspace.pointer, result.memory},
                                  {1, 0},
                                  next_order(result.algo, result.determinism == CUDNN_DETERMINISTIC)});
        }
        if (cudaStreamSynchronize(stream) != cudaSuccess) refuse(CUDNN_STATUS_EXECUTION_FAILED, "the stream failed");
        return_results(results, max_count, count, out);
    });
}

}  // namespace fakes

#include "engine/backend/cuda/convolution.h"
#include "engine/backend/build_info.h"

#include <fmt/format.h>

#include <algorithm>

namespace residual::cuda {

namespace {

// Enough for every worthwhile algorithm on small images. Plans that need more are tried last.
constexpr size_t kWorkspaceLimit = size_t{256} << 20;

ConvolutionShapes make_shapes(const Conv2dParams& p, DType dtype) {
    RESIDUAL_ASSERT(p.pad_top == p.pad_bottom && p.pad_left == p.pad_right);
    return {make_tensor_descriptor(dtype, p.batch, p.height, p.width, p.in_channels),
            make_filter_descriptor(dtype, p.out_channels, p.kernel, p.in_channels),
            make_tensor_descriptor(dtype, p.batch, p.out_height(), p.out_width(), p.out_channels),
            make_convolution_descriptor(p.pad_top, p.pad_left, p.stride)};
}

}  // namespace

Convolution::Convolution(Backend& backend, cudnnHandle_t cudnn, const CudaOptions& options, const Conv2dParams& params,
                         DType dtype)
    : backend_(backend),
      cudnn_(cudnn),
      options_(options),
      params_(params),
      dtype_(dtype),
      shapes_(make_shapes(params, dtype)) {}

// In deterministic mode the candidates come from cuDNN's heuristic, which depends only on the shape, the GPU and the
// version of cuDNN. Timing may rank two algorithms of similar speed differently from run to run, and their rounding
// differs. Timing runs the algorithms on the operands and overwrites the output.
template <class Direction>
std::vector<Convolution::Plan<Direction>> Convolution::plans(const ConvolutionOperands& operands) {
    const cudnnMathType_t math = allowed_math(dtype_, options_);
    CUDA_CALL(cudnnSetConvolutionMathType(shapes_.convolution.get(), math));
    int max_count = 0, count = 0;
    CUDA_CALL(Direction::max_count(cudnn_, &max_count));
    std::vector<typename Direction::Result> results(max_count);
    cudnnStatus_t status;
    if (options_.deterministic) {
        status = Direction::heuristic(cudnn_, shapes_, max_count, &count, results.data());
    } else {
        const Tensor workspace = backend_.empty({kWorkspaceLimit}, DType::kUInt8);
        status = Direction::measure(cudnn_, shapes_, operands, max_count, &count, results.data(),
                                    {workspace.data(), workspace.bytes()});
    }
    if (!refused(status)) check(status, Direction::kName);
    results.resize(refused(status) ? 0 : count);

    auto candidates = candidates_among(results, dtype_, options_);
    // Deterministic, and supports nearly every shape.
    candidates.push_back({Direction::kFallback, math});

    std::vector<Plan<Direction>> plans;
    for (const auto& candidate : candidates) {
        CUDA_CALL(cudnnSetConvolutionMathType(shapes_.convolution.get(), candidate.math));
        size_t bytes = 0;
        status = Direction::workspace_bytes(cudnn_, shapes_, candidate.algorithm, &bytes);
        if (refused(status)) continue;
        check(status, Direction::kName);
        plans.push_back({candidate, bytes});
    }
    std::stable_partition(plans.begin(), plans.end(),
                          [](const auto& plan) { return plan.workspace_bytes <= kWorkspaceLimit; });
    return plans;
}

// The workspace returns to the arena while the kernel is still running; its next user runs later on the same stream.
template <class Direction>
cudnnStatus_t Convolution::launch(const Plan<Direction>& plan, const ConvolutionOperands& operands) {
    CUDA_CALL(cudnnSetConvolutionMathType(shapes_.convolution.get(), plan.candidate.math));
    const Tensor workspace = backend_.empty({static_cast<int64_t>(plan.workspace_bytes)}, DType::kUInt8);
    return Direction::run(cudnn_, shapes_, operands, plan.candidate.algorithm, {workspace.data(), workspace.bytes()});
}

template <class Direction>
void Convolution::run(std::optional<Plan<Direction>>& chosen, const ConvolutionOperands& operands) {
    if (chosen) {
        check(launch(*chosen, operands), Direction::kName);
        return;
    }
    for (const Plan<Direction>& plan : plans<Direction>(operands)) {
        const cudnnStatus_t status = launch(plan, operands);
        if (refused(status)) continue;
        check(status, Direction::kName);
        chosen = plan;
        return;
    }
    throw Error(fmt::format("{}: cuDNN {} has no {}algorithm for x {} {}, w {}, stride {}, padding {} and {}{}",
                            Direction::kName, cudnn_version(), options_.deterministic ? "deterministic " : "",
                            params_.input_shape().to_string(), name_of(dtype_), params_.weight_shape().to_string(),
                            params_.stride, params_.pad_top, params_.pad_left,
                            options_.deterministic ? "; set train.deterministic to false to allow others" : ""));
}

void Convolution::forward(const Tensor& x, const Tensor& w, const Tensor& y) {
    run(forward_, {x.data(), w.data(), y.data()});
}

void Convolution::backward_data(const Tensor& dy, const Tensor& w, const Tensor& dx) {
    run(backward_data_, {dx.data(), w.data(), dy.data()});
}

void Convolution::backward_weight(const Tensor& x, const Tensor& dy, const Tensor& dw) {
    run(backward_weight_, {x.data(), dw.data(), dy.data()});
}

}  // namespace residual::cuda

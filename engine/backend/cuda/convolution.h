// Convolution and its two gradients by cuDNN. Padding must be equal on opposite sides, as cuDNN requires.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "engine/backend/cuda/algorithm.h"
#include "engine/backend/cuda/directions.h"

namespace residual::cuda {

// One convolution shape and type. The algorithm of each direction is chosen on its first call.
class Convolution {
  public:
    // Allocates workspaces from the arena of `backend`, which must outlive this.
    Convolution(Backend& backend, cudnnHandle_t cudnn, const CudaOptions& options, const Conv2dParams& params,
                DType dtype);

    // All tensors, including dw, have the type given to the constructor.
    void forward(const Tensor& x, const Tensor& w, const Tensor& y);
    void backward_data(const Tensor& dy, const Tensor& w, const Tensor& dx);
    void backward_weight(const Tensor& x, const Tensor& dy, const Tensor& dw);

  private:
    template <class Direction>
    struct Plan {
        Candidate<typename Direction::Algorithm> candidate;
        size_t workspace_bytes;
    };

    template <class Direction>
    void run(std::optional<Plan<Direction>>& chosen, const ConvolutionOperands& operands);
    template <class Direction>
    cudnnStatus_t launch(const Plan<Direction>& plan, const ConvolutionOperands& operands);
    template <class Direction>
    std::vector<Plan<Direction>> plans(const ConvolutionOperands& operands);

    Backend& backend_;
    cudnnHandle_t cudnn_;
    CudaOptions options_;
    Conv2dParams params_;
    DType dtype_;
    ConvolutionShapes shapes_;
    std::optional<Plan<ForwardDirection>> forward_;
    std::optional<Plan<BackwardDataDirection>> backward_data_;
    std::optional<Plan<BackwardWeightDirection>> backward_weight_;
};

class Convolutions {
  public:
    Convolutions(Backend& backend, cudnnHandle_t cudnn, const CudaOptions& options)
        : backend_(backend), cudnn_(cudnn), options_(options) {}
    Convolution& get(const Conv2dParams& params, DType dtype) {
        return cache_.try_emplace({params, dtype}, backend_, cudnn_, options_, params, dtype).first->second;
    }

  private:
    Backend& backend_;
    cudnnHandle_t cudnn_;
    CudaOptions options_;
    std::map<std::pair<Conv2dParams, DType>, Convolution> cache_;
};

}  // namespace residual::cuda

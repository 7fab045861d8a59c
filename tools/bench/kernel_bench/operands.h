// The operands of a case, the same numbers on every run and device, and the outputs that several cases have.
#pragma once

#include <initializer_list>
#include <memory>

#include "engine/backend/backend.h"
#include "tools/bench/kernel_bench/trial.h"
#include "tools/reference/batch_norm.h"

namespace residual::bench {

// A tensor and its values after rounding to its type. A tensor with a batch axis repeats its first Operands::images()
// images; `values` holds only those.
struct Operand {
    Tensor tensor;
    std::shared_ptr<const Values> values;
};

// A batch norm with ReLU: the statistics of its input, random scales and shifts.
struct BatchNormOperands {
    BatchNormParams params;
    reference::BatchNorm reference;
};

// The gradients of the mean and variance of y, as the operation that produced y takes them.
struct MomentsOperands {
    Operand mean, dmean, dvariance;
    MomentsGradient gradient;
    double rows;

    // The whole gradient of y: dy, given with the moments held fixed, and the part through the moments.
    Values whole(const Operand& y, const Operand& dy) const;
};

class Operands {
  public:
    Operands(Backend& backend, DType activations, int batch);

    Backend& backend() const { return backend_; }
    DType activations() const { return activations_; }
    int batch() const { return batch_; }
    // The number of distinct images: a divisor of the batch, 8 at most.
    int images() const { return images_; }
    // A sum over the batch is this many times the sum over the distinct images.
    double repeats() const { return static_cast<double>(batch_) / images_; }

    // [batch, image...], between -3 and 3, in steps that bfloat16 holds exactly; the mean differs by channel.
    Operand activation(const Shape& image) { return batched(image, activations_); }
    Operand batched(const Shape& image, DType dtype = DType::kFloat32);
    // Without a batch axis, between low and high.
    Operand parameter(const Shape& shape, double low, double high, DType dtype = DType::kFloat32);
    BatchNormOperands batch_norm_of(const Operand& x);
    MomentsOperands moments_of(const Operand& y);
    RunningUpdate running_update(int channels);

    // Results are filled with NaN, so that an element that a kernel does not write is found.
    Tensor result(const Shape& shape, DType dtype = DType::kFloat32);
    Tensor result_like(const Tensor& x) { return result(x.shape(), x.dtype()); }
    Tensor activation_result(const Shape& image) { return result(with_batch(image), activations_); }
    BatchStats stats_result(int channels) { return {result({channels}), result({channels})}; }
    // Of a backward pass whose dx holds the moments of x fixed and which returns their gradients; or, if not `fixed`,
    // whose dx goes through them.
    BatchNormGradients batch_norm_gradients(int channels, bool fixed);

  private:
    Shape with_batch(const Shape& image) const;

    Backend& backend_;
    DType activations_;
    int batch_, images_;
    uint32_t seed_ = 0;
};

double bytes_of(std::initializer_list<Tensor> tensors);  // Undefined tensors count 0.

// The elements of a tensor.
Values download(Backend& backend, const Tensor& tensor);

// The mean and variance of the values of x.
std::vector<Output> stats_outputs(const BatchStats& stats, std::function<Values()> x);

// dx, which is added to `before` if that is defined, and `gradients` from dp, the gradient of the normalised input.
std::vector<Output> batch_norm_outputs(const reference::BatchNorm& batch_norm, const Operand& x,
                                       std::function<Values()> dp, const Tensor& dx, const Operand& before,
                                       const BatchNormGradients& gradients, double repeats);

}  // namespace residual::bench

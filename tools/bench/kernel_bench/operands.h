// Operands of cases: the same numbers on every run and device.
#pragma once

#include <initializer_list>
#include <memory>

#include "engine/backend/backend.h"
#include "tools/bench/kernel_bench/trial.h"
#include "tools/reference/batch_norm.h"

namespace residual::bench {

// A tensor and its values as stored; of what has a batch axis, those of the first Operands::images() images, which
// the others repeat.
struct Operand {
    Tensor tensor;
    std::shared_ptr<const Values> values;
};

// Statistics and parameters of a batch norm.
struct BatchNormOperands {
    BatchNormParams params;
    reference::BatchNorm reference;
};

class Operands {
  public:
    Operands(Backend& backend, DType activations, int batch);

    Backend& backend() const { return backend_; }
    DType activations() const { return activations_; }
    int batch() const { return batch_; }
    // How many images differ: a divisor of the batch, 8 at most.
    int images() const { return images_; }
    // By how much sums over the batch are larger than those over the images that differ.
    double repeats() const { return static_cast<double>(batch_) / images_; }

    // [batch, image...], between -3 and 3, in steps that bfloat16 holds exactly; the mean differs by channel.
    Operand activation(const Shape& image) { return batched(image, activations_); }
    Operand batched(const Shape& image, DType dtype);
    // Without a batch axis, between low and high.
    Operand parameter(const Shape& shape, DType dtype, double low, double high);
    // The statistics that x has, and random scales and shifts.
    BatchNormOperands batch_norm_of(const Operand& x, bool relu);
    // Filled with NaN, so that a result that nobody writes is found.
    Tensor result(const Shape& shape, DType dtype);
    Tensor result_like(const Tensor& x) { return result(x.shape(), x.dtype()); }
    BatchStats stats_result(int channels) {
        return {result({channels}, DType::kFloat32), result({channels}, DType::kFloat32)};
    }

  private:
    Backend& backend_;
    DType activations_;
    int batch_, images_;
    uint32_t seed_ = 0;
};

double bytes_of(std::initializer_list<Tensor> tensors);

// The elements of a tensor of any type.
Values download(Backend& backend, const Tensor& tensor);

}  // namespace residual::bench

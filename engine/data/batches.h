// Batches of images, assembled on the device from the raw records.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/data/config.h"

namespace residual {

struct Batch {
    Tensor images;  // [batch, height, width, channels], bytes minus the per-pixel mean
    Tensor labels;  // [batch] int32
};

// A data set on the device. The images of a step and their augmentation depend only on the seed and the step (see
// kernels/augment.h).
class Batches {
  public:
    // Every image in file order, without augmentation. `mean` is [height, width, channels] float32 on the device; its
    // shape is the image shape.
    static Batches in_order(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, int batch_size,
                            DType dtype);
    // For training: shuffled and augmented as `config` says.
    static Batches shuffled(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, int batch_size,
                            DType dtype, const DataConfig& config, uint64_t seed);

    int64_t samples() const { return shape_.samples; }
    int batch_size() const { return shape_.batch; }

    // Batch number `step`, counted from 0. A batch that runs past the last image continues with the next epoch.
    Batch get(int64_t step);
    // The same for a step number stored on the device, [1] int64.
    Batch next(const Tensor& step);

  private:
    Batches(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, DType dtype,
            const kernels::AugmentShape& shape);

    Backend& backend_;
    kernels::AugmentShape shape_;
    DType dtype_;
    Tensor records_, mean_, step_;
};

}  // namespace residual

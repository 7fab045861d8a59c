// Batches of images, made on the device from the raw records.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/data/config.h"

namespace residual {

struct Batch {
    Tensor images;  // [batch, height, width, channels], bytes less the per-pixel mean
    Tensor labels;  // [batch] int32
};

// A data set on the device. Which images a step sees, and how they are varied, is a function of the seed and the
// step alone (see kernels/augment.h).
class Batches {
  public:
    // Every image in the order of the file, as it is. `mean`: [height, width, channels] float32 on the device; it
    // says how large an image is.
    static Batches in_order(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, int batch_size,
                            DType dtype);
    // For training: order and variation as `config` says.
    static Batches shuffled(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, int batch_size,
                            DType dtype, const DataConfig& config, uint64_t seed);

    int64_t samples() const { return shape_.samples; }
    int batch_size() const { return shape_.batch; }

    // Batch number `step`, counted from 0. Past the last image it goes on with the first of the next epoch.
    Batch get(int64_t step);
    // The same of a step [1] int64 that lies on the device, where the host need not know it.
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

#include "engine/data/batches.h"

#include "engine/backend/out_of_memory.h"

namespace residual {

namespace {

// The shape of a batch of these records, without shuffling or augmentation.
kernels::AugmentShape shape_of(std::span<const uint8_t> records, const Tensor& mean, int batch_size) {
    const Shape& image = mean.shape();
    RESIDUAL_ASSERT(image.rank() == 3);
    kernels::AugmentShape shape{.batch = batch_size,
                                .samples = 0,
                                .height = static_cast<int>(image[0]),
                                .width = static_cast<int>(image[1]),
                                .channels = static_cast<int>(image[2]),
                                .pad = 0,
                                .flip = false,
                                .shuffle = false,
                                .seed = 0};
    const auto record_bytes = static_cast<size_t>(shape.record_bytes());
    RESIDUAL_ASSERT(!records.empty() && records.size() % record_bytes == 0);
    shape.samples = static_cast<int64_t>(records.size() / record_bytes);
    return shape;
}

Tensor copy_to_device(Backend& backend, std::span<const uint8_t> records) {
    try {
        return backend.from_host(records.data(), {static_cast<int64_t>(records.size())});
    } catch (const std::exception& error) {
        rethrow_with_purpose(error, "the data set on the device");
    }
}

}  // namespace

Batches Batches::in_order(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, int batch_size,
                          DType dtype) {
    return Batches(backend, records, mean, dtype, shape_of(records, mean, batch_size));
}

Batches Batches::shuffled(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, int batch_size,
                          DType dtype, const DataConfig& config, uint64_t seed) {
    kernels::AugmentShape shape = shape_of(records, mean, batch_size);
    shape.pad = static_cast<int>(config.augment.pad);
    shape.flip = config.augment.flip;
    shape.shuffle = config.shuffle;
    shape.seed = seed;
    return Batches(backend, records, mean, dtype, shape);
}

Batches::Batches(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, DType dtype,
                 const kernels::AugmentShape& shape)
    : backend_(backend),
      shape_(shape),
      dtype_(dtype),
      records_(copy_to_device(backend, records)),
      mean_(mean),
      step_(backend.empty({1}, DType::kInt64)) {}

Batch Batches::get(int64_t step) {
    backend_.upload(&step, step_);
    return next(step_);
}

Batch Batches::next(const Tensor& step) {
    Batch batch{backend_.empty({shape_.batch, shape_.height, shape_.width, shape_.channels}, dtype_),
                backend_.empty({shape_.batch}, DType::kInt32)};
    backend_.gather_augment(shape_, records_, mean_, step, batch.images, batch.labels);
    return batch;
}

}  // namespace residual

#include "engine/data/batches.h"

namespace engine {

namespace {

int64_t count(std::span<const uint8_t> records) {
    ASSERT(!records.empty() && records.size() % kernels::kRecordBytes == 0);
    return static_cast<int64_t>(records.size() / kernels::kRecordBytes);
}

}  // namespace

Batches Batches::in_order(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, int batch_size,
                          DType dtype) {
    return Batches(
        backend, records, mean, dtype,
        {.batch = batch_size, .samples = count(records), .pad = 0, .flip = false, .shuffle = false, .seed = 0});
}

Batches Batches::shuffled(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, int batch_size,
                          DType dtype, const DataConfig& config, uint64_t seed) {
    return Batches(backend, records, mean, dtype,
                   {.batch = batch_size,
                    .samples = count(records),
                    .pad = static_cast<int>(config.augment.pad),
                    .flip = config.augment.flip,
                    .shuffle = config.shuffle,
                    .seed = seed});
}

Batches::Batches(Backend& backend, std::span<const uint8_t> records, const Tensor& mean, DType dtype,
                 const kernels::AugmentShape& shape)
    : backend_(backend),
      shape_(shape),
      dtype_(dtype),
      records_(backend.from_host(records.data(), {static_cast<int64_t>(records.size())})),
      mean_(mean),
      step_(backend.empty({1}, DType::kInt64)) {}

Batch Batches::get(int64_t step) {
    backend_.upload(&step, step_);
    return next(step_);
}

Batch Batches::next(const Tensor& step) {
    using kernels::kImageChannels;
    using kernels::kImageSize;
    Batch batch{backend_.empty({shape_.batch, kImageSize, kImageSize, kImageChannels}, dtype_),
                backend_.empty({shape_.batch}, DType::kInt32)};
    backend_.gather_augment(shape_, records_, mean_, step, batch.images, batch.labels);
    return batch;
}

}  // namespace engine

// Records of CIFAR-10's files: refused with InputError, or accepted and then good for the mean picture and for a
// shuffled and augmented batch, with labels from 0 to 9 and finite pictures.
#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/core/checksum.h"
#include "engine/core/error.h"
#include "engine/data/batches.h"
#include "engine/data/cifar10.h"
#include "tests/fuzz/target.h"

namespace {

constexpr int kBatch = 3;

bool is_byte(float value) {
    return value >= 0 && value <= 255;
}

void expect_batch(engine::Backend& backend, std::span<const uint8_t> records) {
    const std::vector<float> mean = engine::pixel_mean(records);
    ASSERT(std::all_of(mean.begin(), mean.end(), is_byte));

    // The order, the crops and the flips change with the records.
    const uint64_t seed = engine::crc32_of(std::as_bytes(records));
    engine::DataConfig config;
    config.augment.pad = static_cast<int64_t>(seed % 17);
    engine::Batches batches = engine::Batches::shuffled(backend, records, backend.from_host(mean.data(), {32, 32, 3}),
                                                        kBatch, engine::DType::kFloat32, config, seed);
    const engine::Batch batch = batches.get(static_cast<int64_t>(seed));
    std::vector<float> images(static_cast<size_t>(batch.images.elements()));
    std::vector<int32_t> labels(static_cast<size_t>(batch.labels.elements()));
    backend.download(batch.images, images.data());
    backend.download(batch.labels, labels.data());
    ASSERT(std::all_of(images.begin(), images.end(), [](float value) { return std::abs(value) <= 255; }));
    ASSERT(std::all_of(labels.begin(), labels.end(),
                       [](int32_t label) { return label >= 0 && label < engine::Cifar10::kClasses; }));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::unique_ptr<engine::Backend> backend = engine::make_cpu_backend();
    const std::span<const uint8_t> records(data, size);
    try {
        engine::check_records(records, "input");
    } catch (const engine::InputError&) {
        return 0;
    }
    expect_batch(*backend, records);
    return 0;
}

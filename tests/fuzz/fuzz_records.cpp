// Records of a data set, of CIFAR-10 and of small gray images: refused with InputError, or accepted and then good for
// the mean picture and for a shuffled and augmented batch, with labels of its classes and finite pictures.
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
#include "engine/data/data_set.h"
#include "tests/fuzz/target.h"

namespace {

constexpr int kBatch = 3;

bool is_byte(float value) {
    return value >= 0 && value <= 255;
}

void expect_batch(engine::Backend& backend, const engine::DataDescription& data, std::span<const uint8_t> records) {
    const std::vector<float> mean = engine::pixel_mean(data, records);
    ASSERT(std::all_of(mean.begin(), mean.end(), is_byte));

    // The order, the crops and the flips change with the records.
    const uint64_t seed = engine::crc32_of(std::as_bytes(records));
    engine::DataConfig config;
    config.augment.pad = static_cast<int64_t>(seed % 17);
    engine::Batches batches =
        engine::Batches::shuffled(backend, records, backend.from_host(mean.data(), data.image_shape()), kBatch,
                                  engine::DType::kFloat32, config, seed);
    const engine::Batch batch = batches.get(static_cast<int64_t>(seed));
    std::vector<float> images(static_cast<size_t>(batch.images.elements()));
    std::vector<int32_t> labels(static_cast<size_t>(batch.labels.elements()));
    backend.download(batch.images, images.data());
    backend.download(batch.labels, labels.data());
    ASSERT(std::all_of(images.begin(), images.end(), [](float value) { return std::abs(value) <= 255; }));
    ASSERT(
        std::all_of(labels.begin(), labels.end(), [&](int32_t label) { return label >= 0 && label < data.classes(); }));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::unique_ptr<engine::Backend> backend = engine::make_cpu_backend();
    const std::span<const uint8_t> records(data, size);
    static const engine::DataDescription gray{
        .name = "gray", .height = 5, .width = 3, .channels = 1, .class_names = {"a", "b", "c", "d"}};
    for (const auto* data : {&engine::cifar10_description(), &gray}) {
        try {
            engine::check_records(*data, records, "input");
        } catch (const engine::InputError&) {
            continue;
        }
        expect_batch(*backend, *data, records);
    }
    return 0;
}

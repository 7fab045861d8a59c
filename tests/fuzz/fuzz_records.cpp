// Records of CIFAR-10 and of a data set of small gray images are refused with InputError, or accepted. Accepted records
// give a per-pixel mean and a shuffled, augmented batch with valid labels and pixels in range.
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

void expect_batch(residual::Backend& backend, const residual::DataDescription& data, std::span<const uint8_t> records) {
    const std::vector<float> mean = residual::pixel_mean(data, records);
    RESIDUAL_ASSERT(std::all_of(mean.begin(), mean.end(), is_byte));

    // Varies the order, the crops and the flips with the records.
    const uint64_t seed = residual::crc32_of(std::as_bytes(records));
    residual::DataConfig config;
    config.augment.pad = static_cast<int64_t>(seed % 17);
    residual::Batches batches =
        residual::Batches::shuffled(backend, records, backend.from_host(mean.data(), data.image_shape()), kBatch,
                                    residual::DType::kFloat32, config, seed);
    const residual::Batch batch = batches.get(static_cast<int64_t>(seed));
    std::vector<float> images(static_cast<size_t>(batch.images.elements()));
    std::vector<int32_t> labels(static_cast<size_t>(batch.labels.elements()));
    backend.download(batch.images, images.data());
    backend.download(batch.labels, labels.data());
    RESIDUAL_ASSERT(std::all_of(images.begin(), images.end(), [](float value) { return std::abs(value) <= 255; }));
    RESIDUAL_ASSERT(
        std::all_of(labels.begin(), labels.end(), [&](int32_t label) { return label >= 0 && label < data.classes(); }));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::unique_ptr<residual::Backend> backend = residual::make_cpu_backend();
    const std::span<const uint8_t> records(data, size);
    static const residual::DataDescription gray{
        .name = "gray", .height = 5, .width = 3, .channels = 1, .class_names = {"a", "b", "c", "d"}};
    for (const auto* data : {&residual::cifar10_description(), &gray}) {
        try {
            residual::check_records(*data, records, "input");
        } catch (const residual::InputError&) {
            continue;
        }
        expect_batch(*backend, *data, records);
    }
    return 0;
}

// The stream of batches: consecutive epochs, independent of the batch size.
#include "engine/data/batches.h"

#include <algorithm>

#include "tests/support/devices.h"
#include "tests/support/records.h"

using namespace residual;
using namespace test;

namespace {

constexpr int kSamples = 10;

const Shape kImage{32, 32, 3};

DataConfig plain_config(bool shuffle) {
    DataConfig config;
    config.shuffle = shuffle;
    config.augment = {.pad = 0, .flip = false};
    return config;
}

// The indices of the first `count` records in the stream (the label of a record is its index).
std::vector<int32_t> stream(Backend& backend, Batches& batches, int count) {
    std::vector<int32_t> all;
    for (int64_t step = 0; all.size() < static_cast<size_t>(count); ++step) {
        const auto labels = values_of<int32_t>(backend, batches.get(step).labels);
        all.insert(all.end(), labels.begin(), labels.end());
    }
    all.resize(static_cast<size_t>(count));
    return all;
}

bool is_permutation_of_all(std::vector<int32_t> epoch) {
    std::sort(epoch.begin(), epoch.end());
    for (int i = 0; i < kSamples; ++i) {
        if (epoch[i] != i) return false;
    }
    return epoch.size() == kSamples;
}

class Data {
  public:
    explicit Data(Backend& backend)
        : records(numbered_records(kSamples)),
          mean_values(rounded(Random("mean").uniform(kImage, 100, 150), DType::kFloat32)),
          mean(upload(backend, mean_values, DType::kFloat32)) {}

    std::vector<uint8_t> records;
    Array mean_values;
    Tensor mean;
};

}  // namespace

DEVICE_TEST_CASE("in_order batches contain bytes minus the mean, and wrap around after the last image", "[nn]") {
    const Data data(backend);
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        Batches batches = Batches::in_order(backend, data.records, data.mean, 4, dtype);
        CHECK(batches.samples() == kSamples);
        CHECK(batches.batch_size() == 4);
        const Batch batch = batches.get(2);
        CHECK(values_of<int32_t>(backend, batch.labels) == std::vector<int32_t>{8, 9, 0, 1});
        CHECK(batch.images.dtype() == dtype);
        Array expected({4, 32, 32, 3});
        const int sources[] = {8, 9, 0, 1};
        for (int n = 0; n < 4; ++n)
            for (int row = 0; row < 32; ++row)
                for (int column = 0; column < 32; ++column)
                    for (int c = 0; c < 3; ++c)
                        expected.at(n, row, column, c) = byte_of(data.records, sources[n], row, column, c) -
                                                         data.mean_values.values[(row * 32 + column) * 3 + c];
        CHECK(relative_error(download(backend, batch.images), rounded(expected, dtype)) <= 1e-6);
    }
}

DEVICE_TEST_CASE("a shuffled stream is a sequence of permutations, also across batch boundaries", "[nn]") {
    const Data data(backend);
    // 7 does not divide 10: the second batch contains the end of the first epoch and the start of the second.
    Batches batches = Batches::shuffled(backend, data.records, data.mean, 7, DType::kFloat32, plain_config(true), 11);
    const auto seen = stream(backend, batches, 40);
    std::vector<std::vector<int32_t>> epochs;
    for (int epoch = 0; epoch < 4; ++epoch) {
        epochs.emplace_back(seen.begin() + epoch * kSamples, seen.begin() + (epoch + 1) * kSamples);
        CHECK(is_permutation_of_all(epochs.back()));
    }
    CHECK(epochs[0] != epochs[1]);
    CHECK(epochs[1] != epochs[2]);

    // The stream does not depend on the batch size.
    Batches larger = Batches::shuffled(backend, data.records, data.mean, 16, DType::kFloat32, plain_config(true), 11);
    CHECK(stream(backend, larger, 40) == seen);
    Batches ordered = Batches::shuffled(backend, data.records, data.mean, 7, DType::kFloat32, plain_config(false), 11);
    CHECK(stream(backend, ordered, 12) == std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1});
}

DEVICE_TEST_CASE("a batch depends only on seed and step", "[nn]") {
    const Data data(backend);
    const DataConfig config;
    const auto make = [&](uint64_t seed) {
        return Batches::shuffled(backend, data.records, data.mean, 4, DType::kFloat32, config, seed);
    };
    Batches a = make(1), b = make(1), c = make(2);
    const int64_t fifth = 5;
    const Batch later_on_device = b.next(backend.from_host(&fifth, {1}));
    const Batch later = a.get(5), first = a.get(0);
    const Batch first_again = b.get(0), later_again = b.get(5), other = c.get(0);
    CHECK(download(backend, first.images).values == download(backend, first_again.images).values);
    CHECK(download(backend, later.images).values == download(backend, later_again.images).values);
    CHECK(download(backend, later_on_device.images).values == download(backend, later.images).values);
    CHECK(values_of<int32_t>(backend, later.labels) == values_of<int32_t>(backend, later_again.labels));
    CHECK(download(backend, first.images).values != download(backend, other.images).values);
    CHECK(download(backend, first.images).values != download(backend, later.images).values);
}

DEVICE_TEST_CASE("an augmented image is a crop of the original, flipped or not", "[nn]") {
    const Data data(backend);
    DataConfig config;
    config.augment = {.pad = 2, .flip = true};
    Batches batches = Batches::shuffled(backend, data.records, data.mean, 10, DType::kFloat32, config, 3);
    int flips = 0, crops = 0, seen = 0;
    for (int64_t step = 0; step < 3; ++step) {
        const Batch batch = batches.get(step);
        const Array images = download(backend, batch.images);
        const auto labels = values_of<int32_t>(backend, batch.labels);
        for (int n = 0; n < 10; ++n) {
            const auto matches = [&](int top, int left, bool flip) {
                for (int row = 0; row < 32; ++row)
                    for (int column = 0; column < 32; ++column)
                        for (int c = 0; c < 3; ++c) {
                            const int y = row + top, x = (flip ? 31 - column : column) + left;
                            const bool inside = y >= 0 && y < 32 && x >= 0 && x < 32;
                            const double expected = inside ? byte_of(data.records, labels[n], y, x, c) -
                                                                 data.mean_values.values[(y * 32 + x) * 3 + c]
                                                           : 0;
                            if (std::abs(images.at(n, row, column, c) - expected) > 1e-3) return false;
                        }
                return true;
            };
            int found = 0;
            for (int top = -2; top <= 2; ++top)
                for (int left = -2; left <= 2; ++left)
                    for (const bool flip : {false, true}) {
                        if (!matches(top, left, flip)) continue;
                        ++found;
                        flips += flip ? 1 : 0;
                        crops += top != 0 || left != 0 ? 1 : 0;
                    }
            CHECK(found == 1);
            ++seen;
        }
    }
    CHECK(flips > seen / 5);
    CHECK(flips < seen * 4 / 5);
    CHECK(crops > seen / 2);
}

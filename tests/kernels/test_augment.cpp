#include "kernels/augment.h"

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/augment_body.h"
#include "kernels/permutation.h"
#include "kernels/philox.h"
#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"

using residual::kernels::AugmentShape;
using residual::kernels::bfloat16;

namespace {

struct AugmentCase {
    AugmentShape shape;
    int64_t step;
};

const AugmentCase kCases[] = {
    {{1, 1, 32, 32, 3, 0, false, false, 0}, 0},                    // no augmentation
    {{5, 7, 32, 32, 3, 0, false, true, 1}, 1},                     // a batch across the end of an epoch
    {{4, 9, 32, 32, 3, 0, true, false, 2}, 100},                   // flip only
    {{6, 11, 32, 32, 3, 4, false, true, 3}, 12345},                // crop only
    {{128, 300, 32, 32, 3, 4, true, true, 4}, 63999},              // as in training
    {{3, 50, 32, 32, 3, 40, true, true, 5}, 7},                    // a crop that may miss the image
    {{2, 10, 32, 32, 3, 4, true, true, ~uint64_t{0}}, 1ll << 33},  // both words of seed and step
    {{3, 5, 8, 8, 1, 2, true, true, 6}, 9},                        // small and grey
    {{3, 4, 5, 7, 2, 1, true, true, 7}, 3},                        // odd sizes, wider than high
    {{2, 3, 9, 1, 3, 1, true, false, 8}, 2},                       // one column
    {{2, 2, 1, 1, 1, 0, true, true, 9}, 1},                        // one pixel
    {{2, 3, 67, 33, 3, 4, true, true, 10}, 11},                    // more elements than one pass of a block
};

int64_t record_bytes(const AugmentShape& shape) {
    return 1 + int64_t{shape.height} * shape.width * shape.channels;
}

std::vector<uint8_t> make_records(const AugmentShape& shape) {
    std::mt19937 generator(9);
    std::vector<uint8_t> records(shape.samples * record_bytes(shape));
    for (uint8_t& byte : records) byte = static_cast<uint8_t>(generator());
    for (int64_t i = 0; i < shape.samples; ++i) records[i * record_bytes(shape)] %= 10;
    return records;
}

struct Image {
    std::vector<double> pixels;  // [height, width, channels]
    int32_t label;
};

// The reference: subtract the mean, pad with zeros, crop, flip.
Image augmented(const AugmentCase& test, int i, const std::vector<uint8_t>& records, const std::vector<float>& mean) {
    const AugmentShape& s = test.shape;
    const uint64_t position = static_cast<uint64_t>(test.step) * s.batch + i;
    const uint64_t epoch = position / s.samples;
    uint64_t sample = position % s.samples;
    if (s.shuffle) sample = residual::kernels::permuted(s.seed, epoch, static_cast<uint32_t>(sample), s.samples);
    const uint8_t* record = records.data() + sample * record_bytes(s);
    const int height = s.height, width = s.width, channels = s.channels, stride = width + 2 * s.pad;
    std::vector<double> padded(static_cast<size_t>(height + 2 * s.pad) * stride * channels, 0.0);
    for (int c = 0; c < channels; ++c)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) {
                padded[((y + s.pad) * stride + x + s.pad) * channels + c] =
                    static_cast<double>(record[1 + (c * height + y) * width + x]) -
                    mean[(y * width + x) * channels + c];
            }
    const residual::kernels::Philox4 words = residual::kernels::philox4x32_10(
        {{static_cast<uint32_t>(i), static_cast<uint32_t>(test.step), static_cast<uint32_t>(test.step >> 32), 3}},
        {{static_cast<uint32_t>(s.seed), static_cast<uint32_t>(s.seed >> 32)}});
    const uint64_t choices = 2 * s.pad + 1;
    const int top = static_cast<int>(words.v[0] * choices >> 32), left = static_cast<int>(words.v[1] * choices >> 32);
    const bool mirror = s.flip && words.v[2] % 2 == 1;
    Image image{std::vector<double>(static_cast<size_t>(height) * width * channels), record[0]};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c) {
                const int target = mirror ? width - 1 - x : x;
                image.pixels[(y * width + target) * channels + c] =
                    padded[((y + top) * stride + x + left) * channels + c];
            }
    return image;
}

template <class Device, class T>
void augment_of() {
    for (const AugmentCase& test : kCases) {
        const AugmentShape& s = test.shape;
        CAPTURE(s.batch, s.samples, s.height, s.width, s.channels, s.pad, s.flip, s.shuffle, s.seed, test.step);
        const auto records = make_records(s);
        const auto mean = uniform_values<float>(record_bytes(s) - 1, 3, 100.0, 150.0);
        std::vector<double> expected;
        std::vector<int32_t> expected_labels;
        for (int i = 0; i < s.batch; ++i) {
            const Image image = augmented(test, i, records, mean);
            expected.insert(expected.end(), image.pixels.begin(), image.pixels.end());
            expected_labels.push_back(image.label);
        }
        typename Device::template Array<uint8_t> data(records);
        typename Device::template Array<float> means(mean);
        typename Device::template Array<int64_t> step(std::vector<int64_t>{test.step});
        typename Device::template Array<T> images(expected.size());
        typename Device::template Array<int32_t> labels(s.batch);
        residual::kernels::gather_augment(Device::exec(), s, data.data(), means.data(), step.data(), images.data(),
                                          labels.data());
        check_close(images.read(), expected);
        CHECK(labels.read() == expected_labels);
    }
}

template <class Device>
void augment_cases() {
    augment_of<Device, float>();
    augment_of<Device, bfloat16>();
}

}  // namespace

DEVICE_TEST_CASE("Gather, crop, flip and mean subtraction", "[kernels][augment]", augment_cases)

// Pearson's chi-square with 80 degrees of freedom: above 142 with a probability under 3e-5.
TEST_CASE("Crop offsets are uniform and half of the images are flipped", "[kernels][augment]") {
    const AugmentShape shape{128, 50000, 32, 32, 3, 4, true, true, 11};
    std::array<int, 81> offsets{};
    int flipped = 0;
    constexpr int kSteps = 400;
    const int draws = kSteps * shape.batch;
    for (int step = 0; step < kSteps; ++step) {
        for (int i = 0; i < shape.batch; ++i) {
            const residual::kernels::Augmentation drawn = residual::kernels::augmentation(shape, step, i);
            REQUIRE((drawn.top >= 0 && drawn.top <= 8 && drawn.left >= 0 && drawn.left <= 8));
            ++offsets[drawn.top * 9 + drawn.left];
            flipped += drawn.flipped ? 1 : 0;
        }
    }
    double chi_square = 0.0;
    const double expected = draws / 81.0;
    for (const int count : offsets) chi_square += (count - expected) * (count - expected) / expected;
    CHECK(chi_square < 142.0);
    CHECK(std::abs(flipped - draws / 2.0) < 4.0 * std::sqrt(draws / 4.0));
}

TEST_CASE("An epoch contains every sample once", "[kernels][augment]") {
    const AugmentShape shape{7, 50, 32, 32, 3, 0, false, true, 12};
    std::vector<int> seen(50, 0);
    for (int position = 0; position < 50; ++position) {
        ++seen[residual::kernels::augmentation(shape, position / 7, position % 7).sample];
    }
    CHECK(seen == std::vector<int>(50, 1));
}

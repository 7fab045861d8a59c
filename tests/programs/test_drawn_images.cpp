#include "tools/programs/drawn_images.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "engine/core/checksum.h"
#include "engine/data/cifar10.h"
#include "tests/catch.h"

namespace {

using residual::Cifar10;
using residual::tools::draw_images;

constexpr size_t kRecord = Cifar10::kRecordBytes;

uint32_t checksum(const std::vector<uint8_t>& records) {
    return residual::crc32_of(std::as_bytes(std::span(records)));
}

TEST_CASE("images are the same bytes on every machine", "[data]") {
    CHECK(checksum(draw_images(0, 0, 1000)) == 0x016A9C3Bu);
    CHECK(checksum(draw_images(1, 0, 1000)) == 0x2AC0957Du);
    CHECK(checksum(draw_images(0xFFFFFFFF00000000u, 59'000, 1000)) == 0x7EB8F8C6u);
}

TEST_CASE("an image depends only on its seed and number", "[data]") {
    const std::vector<uint8_t> all = draw_images(3, 0, 200), part = draw_images(3, 57, 40);
    CHECK(std::equal(part.begin(), part.end(), all.begin() + 57 * kRecord));
    CHECK(draw_images(3, 0, 0).empty());

    // All images of both seeds differ.
    const std::vector<uint8_t> other = draw_images(4, 0, 200);
    std::set<std::string> images;
    for (const auto* records : {&all, &other}) {
        for (size_t i = 0; i < 200; ++i) {
            const auto first = records->begin() + static_cast<std::ptrdiff_t>(i * kRecord + 1);
            images.emplace(first, first + kRecord - 1);
        }
    }
    CHECK(images.size() == 400);
}

TEST_CASE("all classes are equally frequent, in random order", "[data]") {
    const std::vector<uint8_t> records = draw_images(5, 0, 2000);
    std::array<std::array<int, 10>, 10> at_place{};
    for (size_t group = 0; group < 200; ++group) {
        std::set<int> classes;
        for (size_t place = 0; place < 10; ++place) {
            const int label = records[(group * 10 + place) * kRecord];
            REQUIRE(label < 10);
            classes.insert(label);
            ++at_place[place][label];
        }
        REQUIRE(classes.size() == 10);
    }
    // The expected count is 20, its standard deviation 4.2.
    for (const auto& counts : at_place) {
        for (const int count : counts) CHECK(std::abs(count - 20) < 20);
    }
    std::set<std::string> names(residual::tools::kImageClasses.begin(), residual::tools::kImageClasses.end());
    CHECK(names.size() == 10);
}

TEST_CASE("a nearest-mean classifier cannot separate the classes", "[data]") {
    constexpr size_t kCount = 10'000;
    const std::vector<uint8_t> records = draw_images(6, 0, kCount);
    std::array<std::array<double, 3072>, 10> mean{};
    for (size_t i = 0; i < kCount; ++i) {
        const uint8_t* record = records.data() + i * kRecord;
        for (size_t p = 0; p < 3072; ++p) mean[record[0]][p] += record[1 + p] * 10.0 / kCount;
    }

    // Evaluated on the images from which the means were computed, which favours the classifier.
    size_t correct = 0;
    for (size_t i = 0; i < kCount; ++i) {
        const uint8_t* record = records.data() + i * kRecord;
        std::array<double, 10> distance{};
        for (size_t label = 0; label < 10; ++label) {
            for (size_t p = 0; p < 3072; ++p) {
                const double difference = record[1 + p] - mean[label][p];
                distance[label] += difference * difference;
            }
        }
        const auto nearest = std::min_element(distance.begin(), distance.end()) - distance.begin();
        correct += nearest == record[0];
    }
    CHECK(correct < kCount * 6 / 10);
}

}  // namespace

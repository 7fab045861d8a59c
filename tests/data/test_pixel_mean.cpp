#include <cstdint>
#include <random>
#include <vector>

#include "engine/data/data_set.h"
#include "tests/catch.h"

using residual::DataDescription;

TEST_CASE("the per-pixel mean equals a plain sum over the records", "[data]") {
    // Below, at and above the block size of 16-bit sums, also with every byte at its maximum.
    const size_t count = GENERATE(size_t{1}, size_t{256}, size_t{257}, size_t{258}, size_t{1000});
    const bool saturated = GENERATE(false, true);
    const int height = GENERATE(32, 5);
    const DataDescription data{.name = "some", .height = height, .width = 7, .channels = 2, .class_names = {"one"}};
    const auto record_bytes = static_cast<size_t>(data.record_bytes());
    std::vector<uint8_t> records(count * record_bytes, 255);
    if (!saturated) {
        std::mt19937 random(7);
        for (uint8_t& byte : records) byte = static_cast<uint8_t>(random());
    }
    const std::vector<float> mean = residual::pixel_mean(data, records);
    REQUIRE(mean.size() == record_bytes - 1);
    size_t wrong = 0, element = 0;
    const size_t pixels = mean.size() / 2;
    for (size_t pixel = 0; pixel < pixels; ++pixel) {
        for (size_t c = 0; c < 2; ++c, ++element) {
            double sum = 0;
            for (size_t i = 0; i < count; ++i) sum += records[i * record_bytes + 1 + c * pixels + pixel];
            wrong += mean[element] != static_cast<float>(sum / static_cast<double>(count));
        }
    }
    CHECK(wrong == 0);
}

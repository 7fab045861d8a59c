// Images encoded as PNG and decoded by a reader of this subset: 8 bits, one data chunk, no filter.
#include "engine/io/png.h"

#include <zlib.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "tests/catch.h"

using residual::encode_png;

namespace {

uint32_t big_endian(std::string_view bytes) {
    REQUIRE(bytes.size() >= 4);
    uint32_t value = 0;
    for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<uint8_t>(byte);
    return value;
}

// Type and data of each chunk; checks signature, lengths and checksums.
std::vector<std::pair<std::string, std::string>> chunks_of(std::string_view png) {
    REQUIRE(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
    png.remove_prefix(8);
    std::vector<std::pair<std::string, std::string>> chunks;
    while (!png.empty()) {
        const uint32_t length = big_endian(png);
        REQUIRE(png.size() >= 12 + size_t{length});
        const std::string_view checked = png.substr(4, 4 + size_t{length});
        const auto sum = crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
        CHECK(big_endian(png.substr(8 + size_t{length})) == sum);
        chunks.emplace_back(checked.substr(0, 4), checked.substr(4));
        png.remove_prefix(12 + size_t{length});
    }
    return chunks;
}

struct Image {
    uint32_t width, height;
    int colour_type;
    std::vector<uint8_t> pixels;
};

Image decoded(const std::string& png) {
    const auto chunks = chunks_of(png);
    REQUIRE(chunks.size() == 3);
    CHECK((chunks[0].first == "IHDR" && chunks[1].first == "IDAT" && chunks[2].first == "IEND"));
    const std::string& header = chunks[0].second;
    REQUIRE(header.size() == 13);
    CHECK(header[8] == 8);
    CHECK(header.substr(10) == std::string(3, '\0'));
    Image image{big_endian(header), big_endian(std::string_view(header).substr(4)), header[9], {}};
    const size_t row = size_t{image.width} * (image.colour_type == 2 ? 3 : 1);
    std::vector<uint8_t> rows((row + 1) * image.height);
    uLongf size = rows.size();
    REQUIRE(uncompress(rows.data(), &size, reinterpret_cast<const Bytef*>(chunks[1].second.data()),
                       chunks[1].second.size()) == Z_OK);
    REQUIRE(size == rows.size());
    for (size_t first = 0; first < rows.size(); first += row + 1) {
        CHECK(rows[first] == 0);
        image.pixels.insert(image.pixels.end(), rows.begin() + static_cast<int64_t>(first) + 1,
                            rows.begin() + static_cast<int64_t>(first + row) + 1);
    }
    return image;
}

std::vector<uint8_t> ramp(size_t count) {
    std::vector<uint8_t> pixels(count);
    for (size_t i = 0; i < count; ++i) pixels[i] = static_cast<uint8_t>(i * 37 + i / 256);
    return pixels;
}

}  // namespace

TEST_CASE("an image written as PNG is read back unchanged", "[io]") {
    for (const auto& [height, width, channels] :
         {std::array{1, 1, 1}, {1, 1, 3}, {3, 5, 1}, {5, 3, 3}, {200, 301, 3}}) {
        CAPTURE(height, width, channels);
        const auto pixels = ramp(static_cast<size_t>(height * width * channels));
        const Image image = decoded(encode_png(pixels, height, width, channels));
        CHECK((image.height == static_cast<uint32_t>(height) && image.width == static_cast<uint32_t>(width)));
        CHECK(image.colour_type == (channels == 3 ? 2 : 0));
        CHECK(image.pixels == pixels);
    }
}

TEST_CASE("an image of one colour is compressed", "[io]") {
    const std::vector<uint8_t> white(300 * 300 * 3, 255);
    CHECK(encode_png(white, 300, 300, 3).size() < white.size() / 100);
}

TEST_CASE("pixels that do not fit the size of an image are a bug", "[io]") {
    CHECK_THROWS_AS(encode_png(ramp(11), 2, 2, 3), residual::AssertionError);
    CHECK_THROWS_AS(encode_png({}, 0, 2, 3), residual::AssertionError);
    CHECK_THROWS_AS(encode_png(ramp(8), 2, 2, 2), residual::AssertionError);
}

#include "tests/catch.h"
#include "tools/predict/decoders.h"
#include "tools/predict/image.h"

namespace residual::tools {

namespace {

// A grey image of these values.
Image grey(int width, int height, const std::vector<int>& values) {
    Image image{width, height};
    for (const int value : values) image.rgb.insert(image.rgb.end(), 3, static_cast<uint8_t>(value));
    return image;
}

std::vector<int> values_of(const Image& image) {
    std::vector<int> values;
    for (size_t i = 0; i < image.rgb.size(); i += 3) values.push_back(image.rgb[i]);
    return values;
}

std::vector<uint8_t> bytes(std::initializer_list<int> values) {
    return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("an image of the network's size is kept as it is") {
    const Image image{2, 2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    CHECK(planes_of(image, {2, 2, 3}) == bytes({1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12}));
}

TEST_CASE("a larger image is averaged over the area of each pixel") {
    CHECK(planes_of(grey(4, 2, {0, 10, 100, 101, 20, 30, 102, 103}), {1, 2, 1}) == bytes({15, 102}));
    // Three pixels to two: each takes one and a half.
    CHECK(planes_of(grey(3, 3, {0, 90, 30, 0, 90, 30, 0, 90, 30}), {2, 2, 1}) == bytes({30, 50, 30, 50}));
}

TEST_CASE("a smaller image is enlarged") {
    CHECK(planes_of(grey(1, 1, {7}), {2, 2, 3}) == bytes({7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7}));
    CHECK(planes_of(grey(2, 2, {0, 100, 0, 100}), {3, 3, 1}) == bytes({0, 50, 100, 0, 50, 100, 0, 50, 100}));
}

TEST_CASE("the centre is cut out of an image of other proportions") {
    CHECK(planes_of(grey(4, 2, {9, 1, 2, 9, 9, 3, 4, 9}), {2, 2, 1}) == bytes({1, 2, 3, 4}));
    CHECK(planes_of(grey(2, 4, {9, 9, 1, 2, 3, 4, 9, 9}), {2, 2, 1}) == bytes({1, 2, 3, 4}));
    CHECK(planes_of(grey(100, 1, std::vector<int>(100, 5)), {2, 2, 1}) == bytes({5, 5, 5, 5}));
}

TEST_CASE("colours become grey for a network of one channel") {
    const Image image{1, 1, {255, 0, 100}};
    CHECK(planes_of(image, {1, 1, 1}) == bytes({88}));  // 0.299 * 255 + 0.114 * 100 = 87.6
}

TEST_CASE("an image is turned upright") {
    // 1 2 3
    // 4 5 6
    const Image stored = grey(3, 2, {1, 2, 3, 4, 5, 6});
    const std::vector<std::vector<int>> upright = {
        {1, 2, 3, 4, 5, 6},  // 1: as stored
        {3, 2, 1, 6, 5, 4},  // 2: mirrored
        {6, 5, 4, 3, 2, 1},  // 3: half a turn
        {4, 5, 6, 1, 2, 3},  // 4: upside down
        {1, 4, 2, 5, 3, 6},  // 5: transposed
        {4, 1, 5, 2, 6, 3},  // 6: a quarter turn clockwise
        {6, 3, 5, 2, 4, 1},  // 7: transposed over the other diagonal
        {3, 6, 2, 5, 1, 4},  // 8: a quarter turn counterclockwise
    };
    for (int orientation = 1; orientation <= 8; ++orientation) {
        CAPTURE(orientation);
        const Image image = turned_upright(stored, orientation);
        CHECK(image.width == (orientation < 5 ? 3 : 2));
        CHECK(values_of(image) == upright[static_cast<size_t>(orientation) - 1]);
    }
}

}  // namespace residual::tools

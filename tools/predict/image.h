// Images from PNG and JPEG files, and their reduction to the input of a network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/shape.h"

namespace residual::tools {

// 8-bit sRGB; rows from the top, three bytes a pixel.
struct Image {
    int width = 0, height = 0;
    std::vector<uint8_t> rgb = {};

    const uint8_t* pixel(int x, int y) const { return &rgb[3 * (static_cast<size_t>(y) * width + x)]; }
};

// An image with more pixels is refused before its pixels are decoded.
inline constexpr int64_t kLargestImage = int64_t{1} << 27;

// The image in the bytes of a PNG or JPEG file, upright: turned and mirrored as its EXIF orientation says. Grey and
// palette images, 16-bit samples and CMYK are converted; transparent parts are white. Throws InputError with the reason
// if the file is of another kind, damaged, incomplete or too large.
Image decode_image(std::span<const uint8_t> file);

// The largest centred part of `image` with the proportions of `shape` = [height, width, channels], in that size. Each
// pixel is the average of the area that it covers, rounded to the nearest integer. 3 channels: red, green, blue; 1: the
// luma of ITU-R BT.601. Returns the planes of channels, as in a record (see DataDescription).
std::vector<uint8_t> planes_of(const Image& image, const Shape& shape);

}  // namespace residual::tools

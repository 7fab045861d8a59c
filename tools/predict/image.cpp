#include "tools/predict/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/core/error.h"
#include "tools/predict/decoders.h"

namespace residual::tools {

namespace {

// Part of a row or column of the image, and the share that it has in one pixel of the result.
struct Share {
    int at;
    double weight;
};

// For each of `count` pixels of the result, the pixels of [begin, begin + size) that it covers. The weights of a pixel
// sum to 1.
std::vector<std::vector<Share>> shares_of(int begin, int size, int count) {
    std::vector<std::vector<Share>> shares(static_cast<size_t>(count));
    // In units of 1 / count of a pixel of the image, so that all borders are integers.
    for (int64_t i = 0; i < count; ++i) {
        const int64_t first = i * size, last = first + size;
        for (int64_t pixel = first / count; pixel * count < last; ++pixel) {
            const int64_t covered = std::min(last, (pixel + 1) * count) - std::max(first, pixel * count);
            shares[static_cast<size_t>(i)].push_back(
                {begin + static_cast<int>(pixel), static_cast<double>(covered) / size});
        }
    }
    return shares;
}

uint8_t rounded(double value) {
    return static_cast<uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0));
}

}  // namespace

Image blank_image(int64_t width, int64_t height) {
    if (width < 1 || height < 1 || width > kLargestImage / height) {
        throw InputError(
            fmt::format("the image has {} x {} pixels; at most {} pixels are read", width, height, kLargestImage));
    }
    Image image{static_cast<int>(width), static_cast<int>(height)};
    image.rgb.resize(static_cast<size_t>(3 * width * height));
    return image;
}

Image decode_image(std::span<const uint8_t> file) {
    if (file.empty()) throw InputError("the file is empty");
    if (!is_png(file) && !is_jpeg(file)) throw InputError("neither a PNG nor a JPEG file");
    Image stored = is_png(file) ? decode_png(file) : decode_jpeg(file);
    return turned_upright(std::move(stored), exif_orientation(file));
}

std::vector<uint8_t> planes_of(const Image& image, const Shape& shape) {
    const int64_t height = shape[0], width = shape[1], channels = shape[2];
    RESIDUAL_ASSERT(channels == 1 || channels == 3);
    const int64_t crop_width = std::clamp<int64_t>(image.height * width / height, 1, image.width);
    const int64_t crop_height = std::clamp<int64_t>(image.width * height / width, 1, image.height);
    const auto columns = shares_of(static_cast<int>((image.width - crop_width) / 2), static_cast<int>(crop_width),
                                   static_cast<int>(width));
    const auto rows = shares_of(static_cast<int>((image.height - crop_height) / 2), static_cast<int>(crop_height),
                                static_cast<int>(height));
    std::vector<uint8_t> planes(static_cast<size_t>(shape.elements()));
    const size_t plane = rows.size() * columns.size();
    for (size_t v = 0; v < rows.size(); ++v) {
        for (size_t u = 0; u < columns.size(); ++u) {
            double sums[3] = {};
            for (const Share& row : rows[v]) {
                for (const Share& column : columns[u]) {
                    const uint8_t* pixel = image.pixel(column.at, row.at);
                    for (int c = 0; c < 3; ++c) sums[c] += row.weight * column.weight * pixel[c];
                }
            }
            const size_t at = v * columns.size() + u;
            if (channels == 1) {
                planes[at] = rounded((299 * sums[0] + 587 * sums[1] + 114 * sums[2]) / 1000);
            } else {
                for (size_t c = 0; c < 3; ++c) planes[c * plane + at] = rounded(sums[c]);
            }
        }
    }
    return planes;
}

}  // namespace residual::tools

#include <libexif/exif-data.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "tools/predict/decoders.h"

namespace residual::tools {

namespace {

uint32_t big_endian(const uint8_t* bytes) {
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

// The contents of a PNG file's chunk eXIf; empty if there is none.
std::span<const uint8_t> exif_chunk(std::span<const uint8_t> file) {
    constexpr size_t kSignature = 8, kHead = 8, kChecksum = 4;
    for (size_t at = kSignature; file.size() - std::min(at, file.size()) >= kHead;) {
        const size_t length = big_endian(&file[at]);
        const std::string_view type(reinterpret_cast<const char*>(&file[at + 4]), 4);
        if (length > file.size() - at - kHead) break;
        if (type == "eXIf") return file.subspan(at + kHead, length);
        at += kHead + length + kChecksum;
    }
    return {};
}

}  // namespace

int exif_orientation(std::span<const uint8_t> file) {
    std::vector<uint8_t> marked;
    if (is_png(file)) {
        // libexif expects the mark that JPEG files have.
        constexpr std::string_view kMark("Exif\0\0", 6);
        const auto chunk = exif_chunk(file);
        if (chunk.empty()) return 1;
        marked.assign(kMark.begin(), kMark.end());
        marked.insert(marked.end(), chunk.begin(), chunk.end());
        file = marked;
    }
    const std::unique_ptr<ExifData, decltype(&exif_data_unref)> data(
        exif_data_new_from_data(file.data(), static_cast<unsigned>(file.size())), exif_data_unref);
    if (data == nullptr) return 1;
    const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
    const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

Image turned_upright(Image stored, int orientation) {
    if (orientation == 1) return stored;
    const int w = stored.width, h = stored.height;
    const bool sideways = orientation >= 5;
    Image image = blank_image(sideways ? h : w, sideways ? w : h);
    uint8_t* out = image.rgb.data();
    for (int v = 0; v < image.height; ++v) {
        for (int u = 0; u < image.width; ++u, out += 3) {
            // From the start of the stored row or column, and from its end.
            const int x = sideways ? v : u, from_right = w - 1 - x;
            const int y = sideways ? u : v, from_bottom = h - 1 - y;
            const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
            const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
            std::copy_n(stored.pixel(flip_x ? from_right : x, flip_y ? from_bottom : y), 3, out);
        }
    }
    return image;
}

}  // namespace residual::tools

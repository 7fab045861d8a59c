#include "engine/io/png.h"

#include <zlib.h>

#include <string_view>

#include "engine/core/checksum.h"
#include "engine/core/error.h"

namespace residual {

namespace {

void append_big_endian(std::string& out, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

// Length, type, data, and the checksum of type and data.
void append_chunk(std::string& out, std::string_view type, std::string_view data) {
    append_big_endian(out, static_cast<uint32_t>(data.size()));
    const size_t start = out.size();
    out += type;
    out += data;
    append_big_endian(out, crc32_of(std::as_bytes(std::span(out).subspan(start))));
}

std::string deflated(std::string_view bytes) {
    uLongf size = compressBound(static_cast<uLong>(bytes.size()));
    std::string out(size, '\0');
    const int status = compress(reinterpret_cast<Bytef*>(out.data()), &size,
                                reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()));
    if (status != Z_OK) throw Error("cannot compress an image: out of memory");
    out.resize(size);
    return out;
}

}  // namespace

std::string encode_png(std::span<const uint8_t> pixels, int height, int width, int channels) {
    RESIDUAL_ASSERT(height >= 1 && width >= 1 && (channels == 1 || channels == 3));
    const size_t row = static_cast<size_t>(width) * static_cast<size_t>(channels);
    RESIDUAL_ASSERT(pixels.size() == row * static_cast<size_t>(height) && pixels.size() < size_t{1} << 30);

    std::string header;
    append_big_endian(header, static_cast<uint32_t>(width));
    append_big_endian(header, static_cast<uint32_t>(height));
    // 8 bits; grey or RGB; the only compression and filter method; not interlaced.
    header += {8, static_cast<char>(channels == 1 ? 0 : 2), 0, 0, 0};

    // Each row is preceded by its filter type; 0 is no filter.
    std::string rows;
    rows.reserve(pixels.size() + static_cast<size_t>(height));
    for (size_t first = 0; first < pixels.size(); first += row) {
        rows += '\0';
        rows.append(reinterpret_cast<const char*>(pixels.data()) + first, row);
    }

    std::string out = "\x89PNG\r\n\x1a\n";
    append_chunk(out, "IHDR", header);
    append_chunk(out, "IDAT", deflated(rows));
    append_chunk(out, "IEND", "");
    return out;
}

}  // namespace residual

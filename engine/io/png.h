// PNG images (ISO/IEC 15948).
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace residual {

// A PNG file of 8-bit pixels [height, width, channels]: 1 channel is grey, 3 are red, green and blue. Lossless; the
// same pixels give the same bytes with the same version of zlib. Height and width must be at least 1, and all pixels
// together less than 1 GiB.
std::string encode_png(std::span<const uint8_t> pixels, int height, int width, int channels);

}  // namespace residual

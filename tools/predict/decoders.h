// What decode_image() is made of. All throw InputError with the reason.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tools/predict/image.h"

namespace residual::tools {

bool is_png(std::span<const uint8_t> file);
bool is_jpeg(std::span<const uint8_t> file);

// As stored, without regard to the orientation.
Image decode_png(std::span<const uint8_t> file);
Image decode_jpeg(std::span<const uint8_t> file);

// An image of this size, all bytes 0.
Image blank_image(int64_t width, int64_t height);

// The orientation that the EXIF data of a PNG or JPEG file gives, 1 to 8 (CIPA DC-008, "Orientation"); 1 if there is
// none or it is damaged.
int exif_orientation(std::span<const uint8_t> file);

// The upright image.
Image turned_upright(Image stored, int orientation);

}  // namespace residual::tools

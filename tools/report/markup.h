// Text and images in HTML that is also well-formed XML.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace residual::tools {

// `text` as the content of an element or of an attribute in double quotes. Bytes that are not UTF-8 and control
// characters, U+FFFE and U+FFFF, which XML does not allow, become U+FFFD.
std::string escaped(std::string_view text);

std::string base64(std::string_view bytes);

// "data:image/png;base64,..." of pixels [height, width, channels], 1 channel (grey) or 3 (red, green, blue).
std::string png_data_uri(std::span<const uint8_t> pixels, int height, int width, int channels);

}  // namespace residual::tools

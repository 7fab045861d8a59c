#include <png.h>

#include <cstring>
#include <string>

#include "engine/core/error.h"
#include "tools/predict/decoders.h"

namespace residual::tools {

namespace {

// libpng's simplified interface.
class Png {
  public:
    explicit Png(std::span<const uint8_t> file) {
        image_.version = PNG_IMAGE_VERSION;
        if (png_image_begin_read_from_memory(&image_, file.data(), file.size()) == 0) fail();
    }
    ~Png() { png_image_free(&image_); }
    Png(const Png&) = delete;
    Png& operator=(const Png&) = delete;

    Image decode() {
        Image image = blank_image(image_.width, image_.height);
        image_.format = PNG_FORMAT_RGB;
        image_.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // unless the file says otherwise
        const png_color white{255, 255, 255};
        if (png_image_finish_read(&image_, &white, image.rgb.data(), 0, nullptr) == 0) fail();
        return image;
    }

  private:
    [[noreturn]] void fail() const { throw InputError(std::string("damaged PNG file: ") + image_.message); }

    png_image image_{};
};

}  // namespace

bool is_png(std::span<const uint8_t> file) {
    constexpr size_t kSignature = 8;
    return file.size() >= kSignature && png_sig_cmp(file.data(), 0, kSignature) == 0;
}

Image decode_png(std::span<const uint8_t> file) {
    return Png(file).decode();
}

}  // namespace residual::tools

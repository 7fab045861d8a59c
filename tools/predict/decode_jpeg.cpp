#include <turbojpeg.h>

#include <string>
#include <utility>

#include "engine/core/error.h"
#include "tools/predict/decoders.h"

namespace residual::tools {

namespace {

class Jpeg {
  public:
    explicit Jpeg(std::span<const uint8_t> file) : file_(file), decoder_(tjInitDecompress()) {
        if (decoder_ == nullptr) throw Error(std::string("libjpeg-turbo cannot be used: ") + tjGetErrorStr2(nullptr));
    }
    ~Jpeg() { tjDestroy(decoder_); }
    Jpeg(const Jpeg&) = delete;
    Jpeg& operator=(const Jpeg&) = delete;

    Image decode() {
        int width = 0, height = 0, subsampling = 0, colours = 0;
        check(tjDecompressHeader3(decoder_, file_.data(), file_.size(), &width, &height, &subsampling, &colours));
        Image image = blank_image(width, height);
        if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
            std::vector<uint8_t> inks(4 * image.rgb.size() / 3);
            read_pixels(inks, image, TJPF_CMYK);
            // Files have inverted inks, as Photoshop writes them: 255 is none.
            for (size_t pixel = 0; pixel < inks.size() / 4; ++pixel) {
                const uint8_t* ink = &inks[4 * pixel];
                for (size_t c = 0; c < 3; ++c) image.rgb[3 * pixel + c] = static_cast<uint8_t>(ink[c] * ink[3] / 255);
            }
        } else {
            read_pixels(image.rgb, image, TJPF_RGB);
        }
        return image;
    }

  private:
    void read_pixels(std::vector<uint8_t>& pixels, const Image& image, TJPF format) {
        // Without these flags an incomplete file is a warning, and a few bytes can ask for minutes of decoding.
        constexpr int kFlags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT;
        check(tjDecompress2(decoder_, file_.data(), file_.size(), pixels.data(), image.width, 0, image.height, format,
                            kFlags));
    }

    void check(int status) const {
        if (status != 0) throw InputError(std::string("damaged JPEG file: ") + tjGetErrorStr2(decoder_));
    }

    std::span<const uint8_t> file_;
    tjhandle decoder_;
};

}  // namespace

bool is_jpeg(std::span<const uint8_t> file) {
    return file.size() >= 3 && file[0] == 0xFF && file[1] == 0xD8 && file[2] == 0xFF;
}

Image decode_jpeg(std::span<const uint8_t> file) {
    return Jpeg(file).decode();
}

}  // namespace residual::tools

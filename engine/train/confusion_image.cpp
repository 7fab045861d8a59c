#include "engine/train/confusion_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/io/png.h"

namespace residual {

namespace {

constexpr int kSize = 640;  // About the pixels in each direction.
constexpr int kSmallestCell = 4;

struct Colour {
    uint8_t red, green, blue;
};
constexpr Colour kWhite{255, 255, 255}, kBlack{0, 0, 0}, kGrid{225, 225, 225}, kFrame{230, 159, 0};

// 3 x 5 pixels per digit, row by row from the top left.
constexpr int kGlyphWidth = 3, kGlyphHeight = 5;
constexpr std::array<const char*, 10> kDigits = {
    "#### ## ## ####", " # ##  #  # ###", "###  #####  ###", "###  ####  ####", "# ## ####  #  #",
    "####  ###  ####", "####  #### ####", "###  #  # #  # ", "#### ##### ####", "#### ####  ####"};

class Canvas {
  public:
    explicit Canvas(int size)
        : size_(size), pixels_(static_cast<size_t>(size) * static_cast<size_t>(size) * 3, uint8_t{255}) {}

    // A square with its top left corner at (x, y).
    void fill(int x, int y, int side, Colour colour) {
        for (int row = y; row < y + side; ++row) {
            for (int column = x; column < x + side; ++column) {
                const size_t at =
                    (static_cast<size_t>(row) * static_cast<size_t>(size_) + static_cast<size_t>(column)) * 3;
                pixels_[at] = colour.red;
                pixels_[at + 1] = colour.green;
                pixels_[at + 2] = colour.blue;
            }
        }
    }

    // Each pixel of a glyph becomes a square of `scale` pixels. The number is centred in a square cell.
    void write_number(int x, int y, int cell, int number, int scale, Colour colour) {
        const std::string digits = std::to_string(number);
        const int advance = (kGlyphWidth + 1) * scale;
        int left = x + (cell - static_cast<int>(digits.size()) * advance + scale) / 2;
        const int top = y + (cell - kGlyphHeight * scale) / 2;
        for (const char digit : digits) {
            const char* glyph = kDigits[static_cast<size_t>(digit - '0')];
            for (int i = 0; i < kGlyphWidth * kGlyphHeight; ++i) {
                if (glyph[i] == '#') fill(left + i % kGlyphWidth * scale, top + i / kGlyphWidth * scale, scale, colour);
            }
            left += advance;
        }
    }

    const std::vector<uint8_t>& pixels() const { return pixels_; }

  private:
    int size_;
    std::vector<uint8_t> pixels_;
};

// From white to dark blue. The square root makes small shares visible.
Colour colour_of(double share) {
    const double depth = std::sqrt(share);
    const auto channel = [depth](double dark) { return static_cast<uint8_t>(std::lround(255 + depth * (dark - 255))); };
    return {channel(8), channel(48), channel(107)};
}

}  // namespace

ConfusionImage confusion_image(const ConfusionMatrix& matrix) {
    const int classes = matrix.classes(), cell = std::max(kSmallestCell, kSize / classes);
    const int size = cell * classes + 1;
    Canvas canvas(size);
    canvas.fill(0, 0, size, kGrid);
    for (int label = 0; label < classes; ++label) {
        const auto images = static_cast<double>(std::max<int64_t>(matrix.images(label), 1));
        for (int predicted = 0; predicted < classes; ++predicted) {
            const double share = static_cast<double>(matrix.count(label, predicted)) / images;
            const int x = predicted * cell + 1, y = label * cell + 1;
            const int frame = classes <= kMostNumbered && label == predicted ? 3 : 0;
            canvas.fill(x, y, cell - 1, kFrame);
            canvas.fill(x + frame, y + frame, cell - 1 - 2 * frame, colour_of(share));
            const auto percent = static_cast<int>(std::lround(100 * share));
            if (classes > kMostNumbered || percent == 0) continue;
            const int scale = std::max(1, cell / 16);
            canvas.write_number(x, y, cell - 1, percent, scale, share > 0.43 ? kWhite : kBlack);
        }
    }
    return {encode_png(canvas.pixels(), size, size, 3), size};
}

}  // namespace residual

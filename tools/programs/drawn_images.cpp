#include "tools/programs/drawn_images.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "engine/data/cifar10.h"
#include "kernels/philox.h"
#include "tools/programs/shape_distance.h"

namespace residual::tools {
namespace {

using namespace shape;

constexpr int kSide = Cifar10::kSide, kChannels = Cifar10::kChannels;
constexpr uint32_t kClasses = kImageClasses.size();

enum class Stream : uint32_t { kClass, kScene, kNoise };

class RandomWords {
  public:
    RandomWords(uint64_t seed, uint32_t image, Stream stream)
        : key_(kernels::philox_key(seed)), counter_{{image, 0, static_cast<uint32_t>(stream), kImages}} {}

    uint32_t next() {
        if (used_ == 4) {
            words_ = kernels::philox4x32_10(counter_, key_);
            ++counter_.v[1];
            used_ = 0;
        }
        return words_.v[used_++];
    }

    // Uniform in low .. high, inclusive.
    int between(int low, int high) {
        return low + static_cast<int>(kernels::multiply_high(next(), static_cast<uint32_t>(high - low + 1)));
    }

  private:
    // The last word of the counter is the purpose; this one differs from all of kernels::RandomPurpose.
    static constexpr uint32_t kImages = 0x50494354;

    kernels::PhiloxKey key_;
    kernels::Philox4 counter_;
    kernels::Philox4 words_{};
    int used_ = 4;
};

struct Colour {
    int channel[kChannels];
};

// Values are bytes times 256.
struct Canvas {
    int pixel[kSide][kSide][kChannels];
};

int integer_sqrt(int value) {
    int root = 0;
    for (int bit = 1 << 15; bit > 0; bit /= 2) {
        const int64_t candidate = root + bit;
        if (candidate * candidate <= value) root += bit;
    }
    return root;
}

Point random_direction(RandomWords& random) {
    for (;;) {
        const Point p = {random.between(-4096, 4096), random.between(-4096, 4096)};
        const int length = integer_sqrt(p.x * p.x + p.y * p.y);
        if (length >= 1024 && length <= 4096) return {p.x * kUnit / length, p.y * kUnit / length};
    }
}

Colour random_colour(RandomWords& random, int darkest, int brightest) {
    Colour colour;
    for (int& channel : colour.channel) channel = random.between(darkest, brightest);
    return colour;
}

int brightness(const Colour& colour) {
    return colour.channel[0] + colour.channel[1] + colour.channel[2];
}

// The minimum difference in brightness between a figure and its background, or the two colours of a texture.
constexpr int kContrast = 160;

Colour random_brighter(RandomWords& random, const Colour& than) {
    for (;;) {
        const Colour colour = random_colour(random, 64, 255);
        if (brightness(colour) >= brightness(than) + kContrast) return colour;
    }
}

Colour random_darker(RandomWords& random, const Colour& than) {
    for (;;) {
        const Colour colour = random_colour(random, 0, 144);
        if (brightness(colour) <= brightness(than) - kContrast) return colour;
    }
}

// A background with a gradient in a random direction and cloudy variations of brightness.
void draw_ground(RandomWords& random, const Colour& colour, Canvas& canvas) {
    constexpr int kCell = 8, kNodes = kSide / kCell + 1;
    const int depth = random.between(0, 48), clouds = random.between(0, 40);
    const Point direction = random_direction(random);
    int nodes[kNodes][kNodes];
    for (auto& row : nodes) {
        for (int& node : row) node = random.between(-clouds, clouds);
    }
    for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
            const int i = y / kCell, j = x / kCell, v = y % kCell, u = x % kCell;
            const int cloud = (nodes[i][j] * (kCell - v) + nodes[i + 1][j] * v) * (kCell - u) +
                              (nodes[i][j + 1] * (kCell - v) + nodes[i + 1][j + 1] * v) * u;
            const int slope = dot({2 * x - kSide, 2 * y - kSide}, direction) * depth;
            const int light = cloud * (256 / (kCell * kCell)) + slope * (256 / kSide);
            for (int c = 0; c < kChannels; ++c) canvas.pixel[y][x][c] = colour.channel[c] * 256 + light;
        }
    }
}

// Blends `colour`, which becomes brighter by `shade` towards `light`, into the pixels in proportion to their coverage.
template <class Distance>
void fill(Canvas& canvas, Point centre, int reach, const Colour& colour, Point light, int shade, Distance distance) {
    const auto first = [](int at) { return std::max(at / kPixel, 0); };
    const auto last = [](int at) { return std::min(at / kPixel, kSide - 1); };
    for (int y = first(centre.y - reach); y <= last(centre.y + reach); ++y) {
        for (int x = first(centre.x - reach); x <= last(centre.x + reach); ++x) {
            const Point p = {x * kPixel + kPixel / 2 - centre.x, y * kPixel + kPixel / 2 - centre.y};
            const int cover = coverage(distance(p));
            if (cover == 0) continue;
            const int brighter = dot(p, light) * shade / 8;
            for (int c = 0; c < kChannels; ++c) {
                int& value = canvas.pixel[y][x][c];
                value += (colour.channel[c] * 256 + brighter - value) / 256 * cover;
            }
        }
    }
}

// A dot or a short bar of any colour.
void draw_clutter(RandomWords& random, Canvas& canvas) {
    const Point centre = {random.between(0, kSide * kPixel - 1), random.between(0, kSide * kPixel - 1)};
    const Colour colour = random_colour(random, 16, 239);
    const int length = random.between(kPixel, 4 * kPixel), width = random.between(kPixel / 2, 3 * kPixel / 2);
    if (random.between(0, 1) == 0) {
        fill(canvas, centre, width + kPixel, colour, {0, 0}, 0, [&](Point p) { return disc(p, width); });
    } else {
        const Point axis = random_direction(random);
        fill(canvas, centre, length + width + kPixel, colour, {0, 0}, 0,
             [&](Point p) { return rectangle(turned(p, axis), length, width); });
    }
}

// The figure of class `label`, centred at the origin.
struct Figure {
    int label;
    int outline;  // the class whose outline it has
    int radius;
    int hole;           // of a ring; of a crescent, the bite
    int half_width;     // of a cross's arms
    int period;         // of the texture
    Point axis, grain;  // directions of outline and texture
    Point phase;        // of the texture

    int outline_distance(Point p) const {
        const Point q = turned(p, axis);
        switch (outline) {
            case 1:
                return ring(q, radius, hole);
            case 2:
                return crescent(q, radius, hole + radius / 4, radius / 2);
            case 3:
                return triangle(q, radius * 5 / 8);
            case 4:
                return rectangle(q, radius * 13 / 16, radius * 13 / 16);
            case 5:
                return star(q, radius * 3 / 8);
            case 6:
                return cross(q, radius, half_width);
            default:
                return disc(q, radius);
        }
    }

    int texture_distance(Point p) const {
        const Point q = turned(p, grain), shifted = {q.x + phase.x, q.y + phase.y};
        switch (label) {
            case 7:
                return stripes(shifted, period);
            case 8:
                return checks(shifted, period);
            default:
                return spots(shifted, period);
        }
    }
};

Figure random_figure(RandomWords& random, int label) {
    constexpr int kTexturedOutlines[] = {0, 3, 4};
    const bool textured = label >= 7;
    Figure figure;
    figure.label = label;
    figure.outline = textured ? kTexturedOutlines[random.between(0, 2)] : label;
    figure.radius = textured ? random.between(9 * kPixel, 12 * kPixel) : random.between(7 * kPixel, 12 * kPixel);
    figure.hole = figure.radius * random.between(48, 64) / 100;
    figure.half_width = figure.radius * random.between(28, 38) / 100;
    figure.period = random.between(5 * kPixel, 7 * kPixel);
    figure.axis = random_direction(random);
    figure.grain = random_direction(random);
    figure.phase = {random.between(0, figure.period), random.between(0, figure.period)};
    return figure;
}

void draw_figure(RandomWords& random, const Figure& figure, const Colour& ground, Canvas& canvas) {
    const Colour colour = random_brighter(random, ground);
    const int room = std::max(kSide * kPixel / 2 - figure.radius, 2 * kPixel);
    const Point centre = {kSide * kPixel / 2 + random.between(-room, room),
                          kSide * kPixel / 2 + random.between(-room, room)};
    const Point light = random_direction(random);
    const int shade = random.between(0, 24), reach = 2 * figure.radius;
    fill(canvas, centre, reach, colour, light, shade, [&](Point p) { return figure.outline_distance(p); });
    if (figure.label >= 7) {
        const Colour gaps = random_darker(random, colour);
        fill(canvas, centre, reach, gaps, light, shade,
             [&](Point p) { return std::max(figure.outline_distance(p), figure.texture_distance(p)); });
    }
}

// Adds roughly normal noise: the sum of the four bytes of a word, whose standard deviation is 147.8.
void write_record(RandomWords& random, int amplitude, const Canvas& canvas, int label, uint8_t* record) {
    *record++ = static_cast<uint8_t>(label);
    for (int c = 0; c < kChannels; ++c) {
        for (int y = 0; y < kSide; ++y) {
            for (int x = 0; x < kSide; ++x) {
                const uint32_t word = random.next();
                const int sum = static_cast<int>((word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24));
                const int value = canvas.pixel[y][x][c] + (sum - 510) * amplitude;
                *record++ = static_cast<uint8_t>(std::clamp((value + 128) / 256, 0, 255));
            }
        }
    }
}

int class_of(uint64_t seed, uint32_t image) {
    RandomWords random(seed, image / kClasses, Stream::kClass);
    int order[kClasses];
    std::iota(std::begin(order), std::end(order), 0);
    for (int i = kClasses - 1; i > 0; --i) std::swap(order[i], order[random.between(0, i)]);
    return order[image % kClasses];
}

void draw_image(uint64_t seed, uint32_t image, uint8_t* record) {
    RandomWords random(seed, image, Stream::kScene);
    const int label = class_of(seed, image);
    const Colour ground = random_colour(random, 24, 144);
    Canvas canvas;
    draw_ground(random, ground, canvas);
    for (int i = random.between(2, 6); i > 0; --i) draw_clutter(random, canvas);
    draw_figure(random, random_figure(random, label), ground, canvas);
    for (int i = random.between(0, 2); i > 0; --i) draw_clutter(random, canvas);
    const int amplitude = random.between(4, 28);
    RandomWords noise(seed, image, Stream::kNoise);
    write_record(noise, amplitude, canvas, label, record);
}

}  // namespace

std::vector<uint8_t> draw_images(uint64_t seed, uint32_t first, size_t count) {
    std::vector<uint8_t> records(count * Cifar10::kRecordBytes);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; ++i) {
        draw_image(seed, first + static_cast<uint32_t>(i), records.data() + i * Cifar10::kRecordBytes);
    }
    return records;
}

}  // namespace residual::tools

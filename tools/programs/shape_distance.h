// Signed distances to the edges of plane figures: negative inside, positive outside. Lengths are in 1/256 pixel,
// directions are unit vectors times 2^14. Integers, because floating point may differ between compilers and an image
// must be the same bytes on every machine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace residual::tools::shape {

constexpr int kPixel = 256;
constexpr int kUnit = 1 << 14;

struct Point {
    int x, y;
};

inline int dot(Point a, Point direction) {
    return (a.x * direction.x + a.y * direction.y) / kUnit;
}

// The coordinates of `point` in axes rotated to `direction`.
inline Point turned(Point point, Point direction) {
    return {dot(point, direction), dot(point, {-direction.y, direction.x})};
}

// (r^2 - radius^2) / (2 radius): the first-order expansion of the distance at the edge; only pixels there use the
// value.
inline int disc(Point p, int radius) {
    return (p.x * p.x + p.y * p.y - radius * radius) / (2 * radius);
}

inline int ring(Point p, int radius, int hole) {
    return std::max(disc(p, radius), -disc(p, hole));
}

// A disc without the disc of radius `bite` centred at (offset, 0).
inline int crescent(Point p, int radius, int bite, int offset) {
    return std::max(disc(p, radius), -disc({p.x - offset, p.y}, bite));
}

inline int rectangle(Point p, int half_width, int half_height) {
    return std::max(std::abs(p.x) - half_width, std::abs(p.y) - half_height);
}

inline int cross(Point p, int half_length, int half_width) {
    return std::min(rectangle(p, half_length, half_width), rectangle(p, half_width, half_length));
}

// Equilateral; `apothem` is the distance from the centre to a side.
inline int triangle(Point p, int apothem) {
    constexpr Point kNormals[] = {{kUnit, 0}, {-8192, 14189}, {-8192, -14189}};
    return std::max({dot(p, kNormals[0]), dot(p, kNormals[1]), dot(p, kNormals[2])}) - apothem;
}

// The pentagram of five lines at distance `apothem`: a point is inside if it is on the inner side of at least four
// lines, that is, if the second largest distance is negative.
inline int star(Point p, int apothem) {
    constexpr Point kNormals[] = {{kUnit, 0}, {5063, 15582}, {5063, -15582}, {-13255, 9630}, {-13255, -9630}};
    int largest = dot(p, kNormals[0]), second = -(1 << 30);
    for (int i = 1; i < 5; ++i) {
        const int distance = dot(p, kNormals[i]);
        second = std::max(second, std::min(largest, distance));
        largest = std::max(largest, distance);
    }
    return second - apothem;
}

// The position within a period, -period/2 .. period/2, for |value| below 64 pixels.
inline int wrapped(int value, int period) {
    return (value + 64 * kPixel * period) % period - period / 2;
}

// Parallel stripes across x, as wide as their gaps.
inline int stripes(Point p, int period) {
    return std::abs(wrapped(p.x, period)) - period / 4;
}

// The points in exactly one of two perpendicular sets of stripes.
inline int checks(Point p, int period) {
    const int a = stripes(p, period), b = stripes({p.y, p.x}, period);
    return std::max(std::min(a, b), -std::max(a, b));
}

// Discs on a square lattice.
inline int spots(Point p, int period) {
    return disc({wrapped(p.x, period), wrapped(p.y, period)}, 3 * period / 10);
}

// The part of a pixel that the figure covers, 0 .. 256, for a straight edge.
inline int coverage(int distance) {
    return std::clamp(kPixel / 2 - distance, 0, kPixel);
}

}  // namespace residual::tools::shape

// Ten classes of synthetic 32x32 images in CIFAR-10's records: training data for machines without CIFAR-10.
//
// Each image shows one figure, brighter than its shaded background, with clutter behind and in front of it, and noise.
// The class is the outline or the texture of the figure. Position, size, rotation, colours, light and background are
// random, so that single pixels carry little information: the best linear classifier of
// tests/programs/linear_baseline.py classifies a quarter of the test images correctly. An image and its mirror image
// are equally likely.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace residual::tools {

inline constexpr std::array kImageClasses = {"disc", "ring",  "crescent", "triangle", "square",
                                             "star", "cross", "striped",  "checked",  "spotted"};

// The records of images first .. first + count - 1. An image is a pure function of (seed, number), the same bytes on
// every machine. Each group of ten images, from a multiple of ten, contains every class once, in random order.
std::vector<uint8_t> draw_images(uint64_t seed, uint32_t first, size_t count);

}  // namespace residual::tools

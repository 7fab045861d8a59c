// Ten classes of drawn 32x32 images, in CIFAR-10's records: something to train on where CIFAR-10 cannot be had.
//
// One figure, brighter than the shaded ground it stands on, with clutter behind and before it, under noise. The
// figure's outline or its texture is the class; place, size, turn, colours, light and ground are drawn at random, so
// that pixels one by one say little: the best linear classifier that tests/programs/linear_baseline.py finds is right
// on a quarter of the test images. A mirrored image is as likely as the image.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace residual::tools {

inline constexpr std::array kImageClasses = {"disc", "ring",  "crescent", "triangle", "square",
                                             "star", "cross", "striped",  "checked",  "spotted"};

// `count` records, from image number `first` of the stream that `seed` makes: an image is a pure function of
// (seed, number), the same bytes on every machine. Each ten images from a multiple of ten hold every class once, in
// random order.
std::vector<uint8_t> draw_images(uint64_t seed, uint32_t first, size_t count);

}  // namespace residual::tools

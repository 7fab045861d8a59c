// Ten classes of drawn 32x32 pictures, in CIFAR-10's records: something to train on where CIFAR-10 cannot be had.
//
// One figure, brighter than the shaded ground it stands on, with clutter behind and before it, under noise. The
// figure's outline or its texture is the class; place, size, turn, colours, light and ground are drawn at random, so
// that pixels one by one say little: the best linear classifier that tests/data/linear_baseline.py finds is right on a
// quarter of the test pictures. A mirrored picture is as likely as the picture.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

inline constexpr std::array kPictureClasses = {"disc", "ring",  "crescent", "triangle", "square",
                                               "star", "cross", "striped",  "checked",  "spotted"};

// `count` records, from picture number `first` of the stream that `seed` makes: a picture is a pure function of
// (seed, number), the same bytes on every machine. Each ten pictures from a multiple of ten hold every class once, in
// random order.
std::vector<uint8_t> draw_pictures(uint64_t seed, uint32_t first, size_t count);

}  // namespace engine

#pragma once

#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/exec.h"

namespace kernels {

// The training batch of a step, straight from the records of the CIFAR-10 binary files:
// 3073 bytes each, one label and then three planes (red, green, blue) of 32x32 bytes.

inline constexpr int kImageSize = 32;
inline constexpr int kImageChannels = 3;
inline constexpr int kImageElements = kImageSize * kImageSize * kImageChannels;
inline constexpr int kRecordBytes = 1 + kImageElements;

struct AugmentShape {
    int batch;
    int64_t samples;  // records in the data set, 1 .. 2^32-1
    int pad;          // pixels of zeros on each side before the 32x32 crop, 0 for no crop
    bool flip;        // left-right, for half of the pictures
    bool shuffle;     // a new permutation every epoch, else the order of the file
    uint64_t seed;
};

// images [batch, 32, 32, 3], labels [batch]. Picture i of the batch is number step * batch + i of an endless stream of
// epochs, each a permutation of the samples (see permutation.h); step [1] lies where the kernel runs.
// Every byte is made float and the mean [32, 32, 3] of its own pixel is subtracted; then the picture is padded with
// zeros, cropped at a uniformly random offset of 0 .. 2*pad rows and columns, and flipped:
//     words = philox4x32_10({i, low(step), high(step), kAugment}, seed)
//     top = multiply_high(words[0], 2*pad + 1), left = multiply_high(words[1], 2*pad + 1), flipped = words[2] & 1
//     image[y][x] = padded[y + top][(flipped ? 31 - x : x) + left]
// Reads 3073 bytes and writes 3072 sizeof(T) bytes per picture; the mean stays in cache.
template <class Exec, class T>
void gather_augment(const Exec& exec, const AugmentShape& shape, const uint8_t* records, const float* mean,
                    const int64_t* step, T* images, int32_t* labels);

}  // namespace kernels

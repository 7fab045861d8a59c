#pragma once

#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/common.h"
#include "kernels/exec.h"

namespace residual::kernels {

// Assembles the training batch of a step from the records of a data set. A record is one label byte followed by
// `channels` planes of height x width bytes.

struct AugmentShape {
    int batch;
    int64_t samples;              // records in the data set, 1 .. 2^32-1
    int height, width, channels;  // of an image; their product fits in 31 bits
    int pad;                      // zero pixels on each side before the crop to height x width; 0: no crop
    bool flip;                    // flip each image left to right with probability 1/2
    bool shuffle;                 // a new permutation every epoch; otherwise file order
    uint64_t seed;

    RESIDUAL_HD int pixels() const { return height * width; }
    RESIDUAL_HD int elements() const { return pixels() * channels; }
    RESIDUAL_HD int64_t record_bytes() const { return 1 + int64_t{elements()}; }
};

// images [batch, height, width, channels], labels [batch]. Image i of the batch is number step * batch + i of an
// endless stream of epochs, each a permutation of the samples (permutation.h) or, without `shuffle`, in file order.
// step [1] is read by the kernel, so on a GPU it is in device memory.
// The bytes are converted to float and the per-pixel mean [height, width, channels] is subtracted; then the image is
// padded with zeros, cropped at a uniformly random offset of 0 .. 2*pad rows and columns, and flipped:
//     words = philox4x32_10({i, low(step), high(step), kAugment}, seed)
//     top = multiply_high(words[0], 2*pad + 1), left = multiply_high(words[1], 2*pad + 1), flipped = words[2] & 1
//     image[y][x] = padded[y + top][(flipped ? width - 1 - x : x) + left]
// Reads one record and writes height * width * channels * sizeof(T) bytes per image; the mean stays in cache.
template <class Exec, class T>
void gather_augment(const Exec& exec, const AugmentShape& shape, const uint8_t* records, const float* mean,
                    const int64_t* step, T* images, int32_t* labels);

}  // namespace residual::kernels

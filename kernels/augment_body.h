#pragma once

#include "kernels/augment.h"
#include "kernels/permutation.h"
#include "kernels/philox.h"

namespace kernels {

// What happens to picture i of a step's batch.
struct Augmentation {
    int64_t sample;  // the record
    int top, left;   // of the crop, in the padded picture
    bool flipped;
};

KERNELS_HD inline Augmentation augmentation(const AugmentShape& shape, int64_t step, int i) {
    const int64_t position = step * shape.batch + i;
    const int64_t epoch = position / shape.samples;
    int64_t sample = position % shape.samples;
    if (shape.shuffle) {
        sample = permuted(shape.seed, static_cast<uint64_t>(epoch), static_cast<uint32_t>(sample),
                          static_cast<uint32_t>(shape.samples));
    }
    const uint64_t step_word = static_cast<uint64_t>(step);
    const Philox4 random = philox4x32_10({{static_cast<uint32_t>(i), low_word(step_word), high_word(step_word),
                                           static_cast<uint32_t>(RandomPurpose::kAugment)}},
                                         philox_key(shape.seed));
    const uint32_t offsets = 2 * static_cast<uint32_t>(shape.pad) + 1;
    return {sample, static_cast<int>(multiply_high(random.v[0], offsets)),
            static_cast<int>(multiply_high(random.v[1], offsets)), shape.flip && (random.v[2] & 1u) != 0};
}

// The three values of pixel (y, x) of the augmented picture, to image[0 .. 2].
template <class T>
KERNELS_HD inline void augmented_pixel(const Augmentation& how, int pad, const uint8_t* record, const float* mean,
                                       int y, int x, T* image) {
    const int source_y = y + how.top - pad;
    const int source_x = (how.flipped ? kImageSize - 1 - x : x) + how.left - pad;
    const bool inside = source_y >= 0 && source_y < kImageSize && source_x >= 0 && source_x < kImageSize;
    const int pixel = inside ? source_y * kImageSize + source_x : 0;
    for (int c = 0; c < kImageChannels; ++c) {
        const float value = static_cast<float>(record[1 + c * kImageSize * kImageSize + pixel]);
        store(image[c], inside ? value - mean[pixel * kImageChannels + c] : 0.0f);
    }
}

}  // namespace kernels

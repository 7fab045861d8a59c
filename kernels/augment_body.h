#pragma once

#include "kernels/augment.h"
#include "kernels/permutation.h"
#include "kernels/philox.h"

namespace residual::kernels {

struct Augmentation {
    int64_t sample;  // the record
    int top, left;   // corner of the crop in the padded image
    bool flipped;
};

// The record and the augmentation of image i of a step's batch.
RESIDUAL_HD inline Augmentation augmentation(const AugmentShape& shape, int64_t step, int i) {
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

// The pixel of the record, row * width + column, for pixel (y, x) of the augmented image; -1 in the padding.
RESIDUAL_HD inline int source_pixel(const AugmentShape& shape, const Augmentation& drawn, int y, int x) {
    const int source_y = y + drawn.top - shape.pad;
    const int source_x = (drawn.flipped ? shape.width - 1 - x : x) + drawn.left - shape.pad;
    const bool inside = source_y >= 0 && source_y < shape.height && source_x >= 0 && source_x < shape.width;
    return inside ? source_y * shape.width + source_x : -1;
}

// One channel of the augmented image, given its source_pixel.
RESIDUAL_HD inline float augmented_value(const AugmentShape& shape, const uint8_t* record, const float* mean,
                                         int source, int channel) {
    if (source < 0) return 0.0f;
    const uint8_t byte = record[1 + channel * shape.pixels() + source];
    return static_cast<float>(byte) - mean[source * shape.channels + channel];
}

}  // namespace residual::kernels

// What augmentation, network, checkpoint and programs need to know about a data set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/shape.h"

namespace residual {

// An image is stored as a record: one label byte, then `channels` planes of height x width bytes.
struct DataDescription {
    std::string name;  // For display: "CIFAR-10".
    int height = 0, width = 0, channels = 0;
    std::vector<std::string> class_names;  // By label, at most 256.
    int64_t train_records = 0, test_records = 0;
    // Per-pixel mean of the training images, [height, width, channels], 0 to 255; empty until they have been read.
    std::vector<float> mean = {};

    int classes() const { return static_cast<int>(class_names.size()); }
    Shape image_shape() const { return {height, width, channels}; }
    int64_t record_bytes() const { return 1 + image_shape().elements(); }
};

}  // namespace residual

// What everything that meets a data set knows of it: augmentation, network, checkpoint and programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/shape.h"

namespace engine {

struct DataDescription {
    std::string name;  // For people: "CIFAR-10".
    int height = 0, width = 0, channels = 0;
    std::vector<std::string> class_names;  // By label.
    int64_t train_records = 0, test_records = 0;

    int classes() const { return static_cast<int>(class_names.size()); }
    Shape image_shape() const { return {height, width, channels}; }
};

}  // namespace engine

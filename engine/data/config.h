// The configuration of the data set and its augmentation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/config/fields.h"
#include "engine/data/registry.h"

namespace residual {

struct AugmentConfig {
    std::int64_t pad = 4;
    bool flip = true;

    void describe(Fields& fields) {
        fields.get("pad", pad, between(0, 16), "zero pixels added on each side before the random crop; 0: no crop");
        fields.get("flip", flip, "flip each training image left to right with probability 1/2");
    }
    bool operator==(const AugmentConfig&) const = default;
};

struct DataConfig {
    std::string format = "cifar10";  // A name from data_format_names().
    std::optional<std::string> dir;
    bool shuffle = true;
    AugmentConfig augment;

    void describe(Fields& fields) {
        fields.get("format", format, data_format_names(),
                   fixed_in_network("the data set, read from its published binary files"));
        fields.get("dir", dir,
                   "data folder; null: `CIFAR10_DIR` or `CIFAR100_DIR`, depending on format, else the cache");
        fields.get("shuffle", shuffle, fixed_in_run("reshuffle every epoch; false: file order"));
        fields.object("augment", augment, fixed_in_run("augmentation of the training images"));
    }
    bool operator==(const DataConfig&) const = default;
};

}  // namespace residual

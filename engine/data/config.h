// What is trained on, and how it is varied.
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
        fields.get("pad", pad, between(0, 16), "pixels of zeros on each side before the random crop; 0: no crop");
        fields.get("flip", flip, "mirror a training image left to right, one time in two");
    }
    bool operator==(const AugmentConfig&) const = default;
};

struct DataConfig {
    std::string format = "cifar10";  // A name of engine/data/registry.h.
    std::optional<std::string> dir;
    bool shuffle = true;
    AugmentConfig augment;

    void describe(Fields& fields) {
        fields.get("format", format, data_format_names(),
                   fixed_in_network("the data set, in the binary files of its authors"));
        fields.get("dir", dir,
                   "folder of the data; null: `CIFAR10_DIR` or `CIFAR100_DIR`, by the format, then the cache");
        fields.get("shuffle", shuffle, fixed_in_run("a new order every epoch; false: the order of the files"));
        fields.object("augment", augment, fixed_in_run("random changes of the training images"));
    }
    bool operator==(const DataConfig&) const = default;
};

}  // namespace residual

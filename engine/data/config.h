// What is trained on, and how it is varied.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/config/fields.h"

namespace engine {

enum class DataFormat { cifar10 };
constexpr auto names_of(DataFormat) {
    return std::array<std::string_view, 1>{"cifar10"};
}

struct AugmentConfig {
    std::int64_t pad = 4;
    bool flip = true;

    void describe(Fields& fields) {
        fields.get("pad", pad, between(0, 16), "pixels of zeros on each side before the random crop; 0: no crop");
        fields.get("flip", flip, "mirror a training picture left to right, one time in two");
    }
    bool operator==(const AugmentConfig&) const = default;
};

struct DataConfig {
    DataFormat format = DataFormat::cifar10;
    std::optional<std::string> dir;
    bool shuffle = true;
    AugmentConfig augment;

    void describe(Fields& fields) {
        fields.get("format", format, fixed_in_run("how the files are laid out: the binary version of CIFAR-10"));
        fields.get("dir", dir, "folder of the data; null: `CIFAR10_DIR`, then the cache");
        fields.get("shuffle", shuffle, fixed_in_run("a new order every epoch; false: the order of the files"));
        fields.object("augment", augment, fixed_in_run("random changes of the training pictures"));
    }
    bool operator==(const DataConfig&) const = default;
};

}  // namespace engine

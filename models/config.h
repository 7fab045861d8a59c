// Which network is built.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/config/fields.h"

namespace models {

enum class Family { resnet };
constexpr auto names_of(Family) {
    return std::array<std::string_view, 1>{"resnet"};
}

enum class Block { preact, postact };
constexpr auto names_of(Block) {
    return std::array<std::string_view, 2>{"preact", "postact"};
}

enum class Shortcut { avgpool_zeropad, subsample_zeropad, projection, none };
constexpr auto names_of(Shortcut) {
    return std::array<std::string_view, 4>{"avgpool_zeropad", "subsample_zeropad", "projection", "none"};
}

enum class Padding { same, symmetric };
constexpr auto names_of(Padding) {
    return std::array<std::string_view, 2>{"same", "symmetric"};
}

struct ModelConfig {
    static constexpr std::int64_t kShallowest = 8;
    // Eight times the deepest network published. Each layer takes memory before the first picture is seen, so that a
    // number without a bound would end in the kernel's kill.
    static constexpr std::int64_t kDeepest = 9998;

    Family family = Family::resnet;
    std::int64_t depth = 56;
    Block block = Block::preact;
    Shortcut shortcut = Shortcut::avgpool_zeropad;
    Padding padding = Padding::same;

    // Units in each of the three stages: depth = 6n + 2, two convolutions a unit, the stem and the linear layer.
    std::int64_t units_per_stage() const { return (depth - 2) / 6; }

    void describe(engine::Fields& fields) {
        fields.get("family", family, "three stages of 16, 32 and 64 channels for 32x32 pictures");
        fields.get("depth", depth, engine::between(kShallowest, kDeepest),
                   "layers with weights: 6n + 2, n units a stage");
        fields.check("depth", (depth - 2) % 6 == 0, refused_depth());
        fields.get("block", block, "norm and ReLU before each convolution, or after it");
        fields.get("shortcut", shortcut, "how x reaches the sum where the size changes; none: no sum, a plain network");
        fields.get("padding", padding,
                   "zeros of a strided convolution: same: as TensorFlow, 0 before and 1 after; symmetric: 1 and 1");
    }
    bool operator==(const ModelConfig&) const = default;

  private:
    std::string refused_depth() const {
        const std::int64_t below = depth - (depth - 2) % 6;
        return "depth " + std::to_string(depth) + " is not 6n + 2; the nearest valid depths are " +
               std::to_string(below) + " and " + std::to_string(below + 6);
    }
};

}  // namespace models

// Residual networks (He et al. 2015 and 2016), and plain networks: the same without shortcuts.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/config/fields.h"
#include "engine/data/description.h"
#include "models/residual_unit.h"

namespace residual::models {

enum class Block { preact, postact };
constexpr auto names_of(Block) {
    return std::array<std::string_view, 2>{"preact", "postact"};
}

// Stem, [postact: batch norm,] three stages of (depth - 2) / 6 units with 16, 32 and 64 channels, [preact: batch norm,]
// global average pool, linear layer (He et al. 2015, section 4.2).
struct ResNetConfig {
    static constexpr std::string_view kFamily = "resnet";

    std::int64_t depth = 56;
    Block block = Block::preact;
    Shortcut shortcut = Shortcut::avgpool_zeropad;
    Padding padding = Padding::same;
    nn::BatchNormConfig batch_norm = {};

    std::int64_t units_per_stage() const { return (depth - 2) / 6; }

    void describe(Fields& fields);
    // "ResNet-20 (preact, shortcut avgpool_zeropad)".
    std::string title() const;
    // images [batch, height, width, channels] -> logits [batch, classes], with the sizes in `data`.
    std::unique_ptr<nn::Module> make(nn::Parameters& parameters, const DataDescription& data) const;
    bool operator==(const ResNetConfig&) const = default;
};

}  // namespace residual::models

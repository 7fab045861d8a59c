// Wide residual networks (Zagoruyko & Komodakis 2016, arXiv:1605.07146), without dropout.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/config/fields.h"
#include "engine/data/description.h"
#include "engine/nn/layers.h"

namespace residual::models {

// Stem of 16 channels, three stages of (depth - 4) / 6 pre-activation units with 16k, 32k and 64k channels, batch norm,
// global average pool, linear layer; k is `widening`. The shortcut is the identity, or a 1x1 convolution of the
// normalised input if the number of channels changes (for k > 1 also in the first unit of the network).
struct WideResNetConfig {
    static constexpr std::string_view kFamily = "wide_resnet";

    std::int64_t depth = 16;
    std::int64_t widening = 4;
    nn::BatchNormConfig batch_norm = {};

    std::int64_t units_per_stage() const { return (depth - 4) / 6; }

    void describe(Fields& fields);
    // "WRN-16-4".
    std::string title() const;
    // images [batch, height, width, channels] -> logits [batch, classes], with the sizes in `data`.
    std::unique_ptr<nn::Module> make(nn::Parameters& parameters, const DataDescription& data) const;
    bool operator==(const WideResNetConfig&) const = default;
};

}  // namespace residual::models

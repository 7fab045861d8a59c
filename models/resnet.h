// Residual networks for 32x32 pictures, and the plain networks that they are compared with.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/data/description.h"
#include "models/residual_unit.h"

namespace models {

// Stem, three stages of (depth - 2) / 6 units with 16, 32 and 64 channels, norm (at the end for preact, after the stem
// for postact), global average pool, linear layer (He et al. 2015, section 4.2).
class ResNet final : public engine::nn::Module {
  public:
    ResNet(engine::nn::Parameters& parameters, const ModelConfig& config, const engine::DataDescription& data);

    // images [batch, height, width, channels] -> logits [batch, classes], as the data has them.
    engine::Variable forward(engine::Context& context, const engine::Variable& images) const override;

  private:
    Block block_;
    engine::nn::Conv2d stem_;
    std::optional<engine::nn::BatchNorm> norm_;
    std::vector<std::unique_ptr<ResidualUnit>> units_;
    std::optional<engine::nn::Linear> head_;
};

}  // namespace models

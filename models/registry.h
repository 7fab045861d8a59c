// From a model's configuration to the model.
#pragma once

#include <memory>

#include "engine/data/description.h"
#include "engine/nn/layers.h"
#include "models/config.h"

namespace models {

// Builds the network that `config` names for the images and classes of `data` and announces its parameters; they have
// no memory yet.
std::unique_ptr<engine::nn::Module> make_model(engine::nn::Parameters& parameters, const ModelConfig& config,
                                               const engine::DataDescription& data);

}  // namespace models

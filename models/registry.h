// From a model's configuration to the model.
#pragma once

#include <memory>

#include "engine/nn/layers.h"
#include "models/config.h"

namespace models {

// Builds the network that `config` names and announces its parameters; they have no memory yet.
std::unique_ptr<engine::nn::Module> make_model(engine::nn::Parameters& parameters, const ModelConfig& config);

}  // namespace models

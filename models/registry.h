// The families of networks, and from a configuration to the network.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "engine/config/fields.h"
#include "engine/data/description.h"
#include "engine/nn/layers.h"
#include "models/resnet.h"
#include "models/wide_resnet.h"

namespace residual::models {

// What a family is to everything else: a configuration with a name, keys, a title and the network that it describes.
template <class Config>
concept Family = requires(Config config, Fields& fields, nn::Parameters& parameters, const DataDescription& data) {
    std::string_view(Config::kFamily);
    config.describe(fields);
    std::string(config.title());
    std::unique_ptr<nn::Module>(config.make(parameters, data));
};

// The families; the first one is the default.
using Families = std::variant<ResNetConfig, WideResNetConfig>;

// Which network is built: the family's name and its own keys.
struct ModelConfig {
    Families config;

    ModelConfig() = default;
    template <Family Config>
    ModelConfig(Config family) : config(std::move(family)) {}

    void describe(Fields& fields) {
        fields.one_of("family", config, "what kind of network; the keys beside it are those of the kind");
    }
    // For people: "ResNet-20 (preact, shortcut avgpool_zeropad)".
    std::string title() const;
    bool operator==(const ModelConfig&) const = default;
};

// Builds the network that `config` names for the images and classes of `data` and announces its parameters; they have
// no memory yet.
std::unique_ptr<nn::Module> make_model(nn::Parameters& parameters, const ModelConfig& config,
                                       const DataDescription& data);

}  // namespace residual::models

// The families of networks, and building a network from its configuration.
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

// A family of networks: a configuration struct with a name, keys, a title and a function that builds the network.
template <class Config>
concept Family = requires(Config config, Fields& fields, nn::Parameters& parameters, const DataDescription& data) {
    std::string_view(Config::kFamily);
    config.describe(fields);
    std::string(config.title());
    std::unique_ptr<nn::Module>(config.make(parameters, data));
};

// The first family is the default.
using Families = std::variant<ResNetConfig, WideResNetConfig>;

// The configuration of a network: the name of its family and the keys of that family.
struct ModelConfig {
    Families config;

    ModelConfig() = default;
    template <Family Config>
    ModelConfig(Config family) : config(std::move(family)) {}

    void describe(Fields& fields) {
        fields.one_of("family", config, "family of networks; each family has its own keys");
    }
    // For display: "ResNet-20 (preact, shortcut avgpool_zeropad)".
    std::string title() const;
    bool operator==(const ModelConfig&) const = default;
};

// Builds the network for the image size and classes of `data`, and declares its parameters; Parameters::allocate() must
// follow.
std::unique_ptr<nn::Module> make_model(nn::Parameters& parameters, const ModelConfig& config,
                                       const DataDescription& data);

}  // namespace residual::models

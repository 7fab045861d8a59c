#include "models/registry.h"

namespace residual::models {

std::string ModelConfig::title() const {
    return std::visit([](const auto& family) { return family.title(); }, config);
}

std::unique_ptr<nn::Module> make_model(nn::Parameters& parameters, const ModelConfig& config,
                                       const DataDescription& data) {
    return std::visit([&](const auto& family) { return family.make(parameters, data); }, config.config);
}

}  // namespace residual::models

#include "models/registry.h"

namespace models {

std::string ModelConfig::title() const {
    return std::visit([](const auto& family) { return family.title(); }, config);
}

std::unique_ptr<engine::nn::Module> make_model(engine::nn::Parameters& parameters, const ModelConfig& config,
                                               const engine::DataDescription& data) {
    return std::visit([&](const auto& family) { return family.make(parameters, data); }, config.config);
}

}  // namespace models

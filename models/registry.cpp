#include "models/registry.h"

#include "models/resnet.h"

namespace models {

std::unique_ptr<engine::nn::Module> make_model(engine::nn::Parameters& parameters, const ModelConfig& config,
                                               const engine::DataDescription& data) {
    switch (config.family) {
        case Family::resnet:
            return std::make_unique<ResNet>(parameters, config, data);
    }
    ASSERT(false);
}

}  // namespace models

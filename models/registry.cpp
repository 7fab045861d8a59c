#include "models/registry.h"

#include "models/resnet.h"

namespace models {

std::unique_ptr<engine::nn::Module> make_model(engine::nn::Parameters& parameters, const ModelConfig& config) {
    switch (config.family) {
        case Family::resnet:
            return std::make_unique<ResNet>(parameters, config);
    }
    ASSERT(false);
}

}  // namespace models

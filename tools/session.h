// A network on a device, built from a configuration: what resnet-train and resnet-eval start from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/cifar10.h"
#include "engine/nn/layers.h"
#include "tools/experiment.h"

namespace tools {

struct Session {
    explicit Session(const Experiment& experiment);

    // "ResNet-20 (preact, shortcut avgpool_zeropad), 269,722 parameters; CPU, 2 threads, ...; float32".
    std::string description() const;
    // The mean picture as a tensor on the device.
    engine::Tensor upload_mean(const std::vector<float>& mean);

    Experiment experiment;
    std::unique_ptr<engine::Backend> backend;
    engine::nn::Parameters parameters;
    std::unique_ptr<engine::nn::Module> model;
};

// A value for `--set`-style overrides: `key="text"`, quoted as JSON whatever it holds.
std::string text_override(const std::string& key, const std::string& text);

}  // namespace tools

// A network on a device, and its training, built from a configuration: what programs and tests start from.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/data/registry.h"
#include "engine/nn/layers.h"
#include "engine/train/trainer.h"
#include "tools/run/experiment.h"

namespace residual::tools {

struct Session {
    // On the device that the configuration names.
    explicit Session(const Experiment& experiment);
    // On a device that was made with other options than a configuration has.
    Session(const Experiment& experiment, std::unique_ptr<Backend> device);

    // "ResNet-20 (preact, shortcut avgpool_zeropad), 269,722 parameters; CPU, 2 threads, ...; float32".
    std::string description() const;
    // Keeps the per-pixel mean with the description of the data, and returns it as a tensor on the device.
    Tensor set_mean(const std::vector<float>& mean);
    // Trains this network on `records`, of which it keeps a copy on the device; the session has to outlive it.
    Trainer trainer(std::span<const uint8_t> records, const Tensor& mean);
    // For an evaluation: the records in their order, in batches as large as those of the training.
    Batches test_batches(std::span<const uint8_t> records, const Tensor& mean) const;

    Experiment experiment;
    DataDescription data;
    std::unique_ptr<Backend> backend;
    nn::Parameters parameters;
    std::unique_ptr<nn::Module> model;
};

// A value for `--set`-style overrides: `key="text"`, quoted as JSON whatever it holds.
std::string text_override(const std::string& key, const std::string& text);

}  // namespace residual::tools

// A network on a device and its training, built from a configuration.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/data/registry.h"
#include "engine/nn/trace.h"
#include "engine/train/trainer.h"
#include "tools/run/experiment.h"

namespace residual::tools {

struct Session {
    // On the configured device.
    explicit Session(const Experiment& experiment, const PlanLog& log = {});
    // On another device, for example one with options that a configuration does not have.
    Session(const Experiment& experiment, std::unique_ptr<Backend> device);

    // "ResNet-20 (preact, shortcut avgpool_zeropad), 269,722 parameters; CPU, 2 threads, ...; float32".
    std::string description() const;
    // "Residual 0.1.0 (commit 3ad6c519daf0); CPU, 2 threads, ...; float32", for CheckpointInfo.
    std::string environment() const;
    // Stores the per-pixel mean in `data` and returns it as a tensor on the device.
    Tensor set_mean(const std::vector<float>& mean);
    // Copies `records` to the device. The session must outlive the trainer.
    Trainer trainer(std::span<const uint8_t> records, const Tensor& mean);
    // The records in order, in batches of the training batch size, but at most kLargestTestBatch: larger batches take
    // memory and are not faster. On the CPU the logits of an image do not depend on the batch; the order in
    // which the loss is summed does.
    static constexpr int64_t kLargestTestBatch = 1024;
    Batches test_batches(std::span<const uint8_t> records, const Tensor& mean) const;
    // The operations of a forward pass over one image. With `training`, the pass updates the running statistics.
    Trace trace(bool training);

    Experiment experiment;
    DataDescription data;
    std::unique_ptr<Backend> backend;
    nn::Parameters parameters;
    std::unique_ptr<nn::Module> model;
};

// The same experiment on the CPU in float32, for programs that examine a network and do not train it.
Experiment on_cpu(Experiment experiment);

// A `--set`-style override `key="text"`, with `text` escaped as JSON.
std::string text_override(const std::string& key, const std::string& text);

}  // namespace residual::tools

// Small networks that train on CUDA, with everything in motion: pictures, epochs, learning rate, step number.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/train/trainer.h"
#include "models/registry.h"
#include "tests/support/records.h"

namespace test {

using engine::Backend;
using engine::Batches;
using engine::DType;
using engine::Trainer;

inline constexpr int kTrainingBatch = 2;

// A network that trains.
class Training {
  public:
    Training(const models::ModelConfig& config, DType dtype)
        : backend_(engine::make_cuda_backend({})), model_(models::make_model(parameters_, config)) {
        parameters_.allocate(*backend_, dtype, 3);
        const std::vector<float> mean(32 * 32 * 3, 120);
        // Four pictures, so that the replays begin new epochs.
        Batches batches =
            Batches::shuffled(*backend_, numbered_records(4), backend_->from_host(mean.data(), {32, 32, 3}),
                              kTrainingBatch, dtype, {}, 5);
        engine::ScheduleConfig schedule;  // The rate changes before, at, and after the first replay.
        schedule.boundaries = {1, 2, 4};
        schedule.values = {0.01, 0.1, 0.02, 0.005};
        trainer_.emplace(*backend_, *model_, parameters_, std::move(batches),
                         engine::OptimizerConfig{.momentum = 0.9, .weight_decay = 2e-4}, schedule);
    }

    Trainer& trainer() { return *trainer_; }
    Backend& backend() { return *backend_; }

    // What steps change, byte by byte: weights, momenta, gradients, running statistics.
    std::vector<std::vector<uint8_t>> state() {
        std::vector<Tensor> tensors = {parameters_.weights(), parameters_.momenta(), parameters_.gradients()};
        if (parameters_.copies().defined()) tensors.push_back(parameters_.copies());
        for (const auto& buffer : parameters_.buffers()) tensors.push_back(buffer->value);
        std::vector<std::vector<uint8_t>> bytes;
        for (const Tensor& tensor : tensors) backend_->download(tensor, bytes.emplace_back(tensor.bytes()).data());
        return bytes;
    }

  private:
    std::unique_ptr<Backend> backend_;
    engine::nn::Parameters parameters_;
    std::unique_ptr<engine::nn::Module> model_;
    std::optional<Trainer> trainer_;
};

inline const models::ModelConfig kPreact{.depth = 8};
inline const models::ModelConfig kPlain{.depth = 8, .shortcut = models::Shortcut::none};
inline const models::ModelConfig kPostact{.depth = 8,
                                          .block = models::Block::postact,
                                          .shortcut = models::Shortcut::subsample_zeropad,
                                          .padding = models::Padding::symmetric};

}  // namespace test

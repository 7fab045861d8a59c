// A network in training that can be stopped, saved, and gone on with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/cifar10.h"
#include "engine/io/snapshot.h"
#include "engine/train/trainer.h"
#include "models/registry.h"
#include "tests/support/records.h"

namespace test {

// On ten pictures, so that a few steps begin new epochs.
class TrainingRun {
  public:
    TrainingRun(engine::Backend& backend, const models::ModelConfig& config, engine::DType dtype, uint64_t seed)
        : backend_(backend), model_(models::make_model(parameters_, config, engine::cifar10_description())) {
        parameters_.allocate(backend, dtype, seed);
        const auto records = numbered_records(10);
        const auto mean = backend.from_host(mean_.data(), {32, 32, 3});
        trainer_.emplace(backend, *model_, parameters_,
                         engine::Batches::shuffled(backend, records, mean, 4, dtype, {}, 5),
                         engine::OptimizerConfig{.momentum = 0.9, .weight_decay = 2e-4},
                         engine::ScheduleConfig{.boundaries = {2, 5}, .values = {0.01, 0.05, 0.02}});
    }

    engine::Trainer& trainer() { return *trainer_; }
    engine::nn::Parameters& parameters() { return parameters_; }
    const engine::nn::Module& model() const { return *model_; }
    const std::vector<float>& mean() const { return mean_; }

    void update(int steps) {
        for (int step = 0; step < steps; ++step) trainer_->update();
    }

    engine::Snapshot snapshot() {
        engine::CheckpointInfo info;
        info.config = "{}";
        info.step = trainer_->step();
        info.rows.sums = trainer_->sums();
        return {backend_, parameters_, mean_, info};
    }

    void restore(const engine::Checkpoint& checkpoint) {
        checkpoint.load_into(backend_, parameters_);
        checkpoint.load_momenta_into(backend_, parameters_);
        trainer_->restore(checkpoint.info()->step, checkpoint.info()->rows.sums);
    }

    // Everything that a step changes, byte by byte.
    std::vector<std::vector<uint8_t>> state() {
        std::vector<engine::Tensor> tensors = {parameters_.weights(), parameters_.momenta()};
        if (parameters_.copies().defined()) tensors.push_back(parameters_.copies());
        for (const auto& buffer : parameters_.buffers()) tensors.push_back(buffer->value);
        std::vector<std::vector<uint8_t>> bytes;
        for (const auto& tensor : tensors) backend_.download(tensor, bytes.emplace_back(tensor.bytes()).data());
        return bytes;
    }

  private:
    engine::Backend& backend_;
    engine::nn::Parameters parameters_;
    std::unique_ptr<engine::nn::Module> model_;
    std::vector<float> mean_ = std::vector<float>(32 * 32 * 3, 120);
    std::optional<engine::Trainer> trainer_;
};

}  // namespace test

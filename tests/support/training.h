// Networks that train on a few pictures on the CUDA device, with everything in motion: epochs, learning rate, step
// number.
#pragma once

#include <optional>

#include "engine/data/cifar10.h"
#include "engine/train/trainer.h"
#include "models/registry.h"
#include "tests/catch.h"
#include "tests/support/records.h"

namespace test {

inline const models::ResNetConfig kPreact{.depth = 8};
inline const models::ResNetConfig kPlain{.depth = 8, .shortcut = models::Shortcut::none};
inline const models::ResNetConfig kPostact{.depth = 8,
                                           .block = models::Block::postact,
                                           .shortcut = models::Shortcut::subsample_zeropad,
                                           .padding = models::Padding::symmetric};
inline const models::WideResNetConfig kWide{.depth = 10, .widening = 2};

class Training {
  public:
    Training(const models::ModelConfig& config, engine::DType dtype, const engine::CudaOptions& options, int batch)
        : backend_(engine::make_cuda_backend(options)),
          model_(models::make_model(parameters_, config, engine::cifar10_description())) {
        parameters_.allocate(*backend_, dtype, 3);
        const std::vector<float> mean(32 * 32 * 3, 120);
        // Four pictures, so that a few steps begin new epochs.
        auto batches = engine::Batches::shuffled(*backend_, numbered_records(4),
                                                 backend_->from_host(mean.data(), {32, 32, 3}), batch, dtype, {}, 5);
        engine::ScheduleConfig schedule;  // The rate changes before, at, and after the first replay.
        schedule.boundaries = {1, 2, 4};
        schedule.values = {0.01, 0.1, 0.02, 0.005};
        trainer_.emplace(*backend_, *model_, parameters_, std::move(batches),
                         engine::OptimizerConfig{.momentum = 0.9, .weight_decay = 2e-4}, schedule);
    }

    engine::Trainer& trainer() { return *trainer_; }
    engine::Backend& backend() { return *backend_; }

    // What steps change, byte by byte: weights, momenta, gradients, running statistics.
    std::vector<std::vector<uint8_t>> state() {
        std::vector<engine::Tensor> tensors = {parameters_.weights(), parameters_.momenta(), parameters_.gradients()};
        if (parameters_.copies().defined()) tensors.push_back(parameters_.copies());
        for (const auto& buffer : parameters_.buffers()) tensors.push_back(buffer->value);
        std::vector<std::vector<uint8_t>> bytes;
        for (const auto& tensor : tensors) backend_->download(tensor, bytes.emplace_back(tensor.bytes()).data());
        return bytes;
    }

  private:
    std::unique_ptr<engine::Backend> backend_;
    engine::nn::Parameters parameters_;
    std::unique_ptr<engine::nn::Module> model_;
    std::optional<engine::Trainer> trainer_;
};

// Trains one network eagerly and its twin with a recording, and compares the bits they leave after each step.
inline void check_replays(const models::ModelConfig& config, engine::DType dtype, const engine::CudaOptions& options) {
    constexpr int kBatch = 2, kSteps = 6;
    Training eager(config, dtype, options, kBatch), recorded(config, dtype, options, kBatch);
    REQUIRE((eager.backend().fused() != nullptr) == options.fused);
    auto before = eager.state();
    for (int step = 0; step < kSteps; ++step) {
        INFO(engine::name_of(dtype) << " step " << step);
        eager.trainer().update_eagerly();
        recorded.trainer().update();
        const auto after = eager.state();
        CHECK((after != before));
        CHECK((recorded.state() == after));
        before = after;
    }
    const auto expected = eager.trainer().take_averages(), found = recorded.trainer().take_averages();
    CHECK(found.cross_entropy == expected.cross_entropy);
    CHECK(found.weight_penalty == expected.weight_penalty);
    CHECK(found.accuracy == expected.accuracy);
}

}  // namespace test

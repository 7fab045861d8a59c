// Networks that train on a few images on the CUDA device, with changing epoch, learning rate and step number.
#pragma once

#include "tests/catch.h"
#include "tests/support/records.h"
#include "tests/support/session.h"

namespace test {

inline const residual::models::ResNetConfig kPreact{.depth = 8};
inline const residual::models::ResNetConfig kPlain{.depth = 8, .shortcut = residual::models::Shortcut::none};
inline const residual::models::ResNetConfig kPostact{.depth = 8,
                                                     .block = residual::models::Block::postact,
                                                     .shortcut = residual::models::Shortcut::subsample_zeropad,
                                                     .padding = residual::models::Padding::symmetric};
inline const residual::models::WideResNetConfig kWide{.depth = 10, .widening = 2};

class Training {
  public:
    Training(const residual::models::ModelConfig& model, residual::DType dtype, const residual::CudaOptions& options,
             int batch)
        : session_(experiment(model, dtype, batch), residual::make_cuda_backend(options)),
          mean_(session_.set_mean(std::vector<float>(32 * 32 * 3, 120))),
          // Only four images, so that a few steps span several epochs.
          trainer_(session_.trainer(numbered_records(4), mean_)) {}

    residual::Trainer& trainer() { return trainer_; }
    residual::Evaluation evaluate() {
        residual::Batches batches = session_.test_batches(numbered_records(4), mean_);
        return residual::evaluate(backend(), *session_.model, batches);
    }
    residual::Backend& backend() { return *session_.backend; }
    // The bytes of everything that a step changes: weights, momenta, gradients, running statistics.
    std::vector<std::vector<uint8_t>> state() {
        auto tensors = state_of(session_.parameters);
        tensors.push_back(session_.parameters.gradients());
        return bytes_of(backend(), tensors);
    }

  private:
    static residual::tools::Experiment experiment(const residual::models::ModelConfig& model, residual::DType dtype,
                                                  int batch) {
        return {.model = model,
                .train = {.batch_size = batch, .seed = 3, .precision = precision_of(dtype)},
                // The rate changes before, at, and after the first replay.
                .schedule = {.boundaries = {1, 2, 4}, .values = {0.01, 0.1, 0.02, 0.005}}};
    }

    residual::tools::Session session_;
    residual::Tensor mean_;
    residual::Trainer trainer_;
};

// Trains one network eagerly and an identical one by replaying a recorded step, and requires bit-identical states after
// each step.
inline void check_replays(const residual::models::ModelConfig& config, residual::DType dtype,
                          const residual::CudaOptions& options) {
    constexpr int kBatch = 2, kSteps = 6;
    Training eager(config, dtype, options, kBatch), recorded(config, dtype, options, kBatch);
    REQUIRE((eager.backend().fused() != nullptr) == options.fused);
    auto before = eager.state();
    for (int step = 0; step < kSteps; ++step) {
        INFO(residual::name_of(dtype) << " step " << step);
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

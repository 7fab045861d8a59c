// A network in training that can be saved and restored.
#pragma once

#include <vector>

#include "engine/io/checkpoint.h"
#include "engine/io/snapshot.h"
#include "tests/support/records.h"
#include "tests/support/session.h"

namespace test {

// Trains on ten images, so that a few steps start new epochs.
class TrainingRun {
  public:
    // `seed` sets the initial weights; the order of the images is always the same.
    TrainingRun(std::unique_ptr<residual::Backend> device, const residual::models::ModelConfig& model,
                residual::DType dtype, uint64_t seed)
        : session_(experiment(model, dtype, seed), std::move(device)), trainer_(start(session_, mean_)) {}

    residual::Trainer& trainer() { return trainer_; }
    residual::Backend& backend() { return *session_.backend; }
    residual::nn::Parameters& parameters() { return session_.parameters; }
    const residual::nn::Module& model() const { return *session_.model; }
    const std::vector<float>& mean() const { return mean_; }

    void update(int steps) {
        for (int step = 0; step < steps; ++step) trainer_.update();
    }

    residual::Snapshot snapshot() {
        residual::CheckpointInfo info;
        info.config = "{}";
        info.class_names = session_.data.class_names;
        info.step = trainer_.step();
        info.rows.sums = trainer_.sums();
        return {backend(), parameters(), mean_, session_.data.image_shape(), info};
    }

    void restore(const residual::Checkpoint& checkpoint) {
        checkpoint.load_into(backend(), parameters());
        checkpoint.load_momenta_into(backend(), parameters());
        trainer_.restore(checkpoint.info()->step, checkpoint.info()->rows.sums);
    }

    // The bytes of everything that a step changes.
    std::vector<std::vector<uint8_t>> state() { return bytes_of(backend(), state_of(parameters())); }

  private:
    static residual::tools::Experiment experiment(const residual::models::ModelConfig& model, residual::DType dtype,
                                                  uint64_t seed) {
        return {.model = model,
                .train = {.batch_size = 4, .seed = seed, .precision = precision_of(dtype)},
                .schedule = {.boundaries = {2, 5}, .values = {0.01, 0.05, 0.02}}};
    }
    static residual::Trainer start(residual::tools::Session& session, const std::vector<float>& mean) {
        session.experiment.train.seed = 5;
        return session.trainer(numbered_records(10), session.set_mean(mean));
    }

    std::vector<float> mean_ = std::vector<float>(32 * 32 * 3, 120);
    residual::tools::Session session_;
    residual::Trainer trainer_;
};

}  // namespace test

// A training step recorded once and replayed, against the same step run eagerly: the same bits, on pictures, a learning
// rate and a step number that change from step to step.
#include <optional>

#include "engine/train/trainer.h"
#include "models/registry.h"
#include "tests/support/devices.h"
#include "tests/support/records.h"

using namespace engine;

namespace {

constexpr int kBatch = 2, kSteps = 6;

// A network that trains.
class Training {
  public:
    Training(const models::ModelConfig& config, DType dtype)
        : backend_(make_cuda_backend({})), model_(models::make_model(parameters_, config)) {
        parameters_.allocate(*backend_, dtype, 3);
        const std::vector<float> mean(32 * 32 * 3, 120);
        // Four pictures, so that the replays begin new epochs.
        Batches batches = Batches::shuffled(*backend_, test::numbered_records(4),
                                            backend_->from_host(mean.data(), {32, 32, 3}), kBatch, dtype, {}, 5);
        ScheduleConfig schedule;  // The rate changes before, at, and after the first replay.
        schedule.boundaries = {1, 2, 4};
        schedule.values = {0.01, 0.1, 0.02, 0.005};
        trainer_.emplace(*backend_, *model_, parameters_, std::move(batches),
                         OptimizerConfig{.momentum = 0.9, .weight_decay = 2e-4}, schedule);
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
    nn::Parameters parameters_;
    std::unique_ptr<nn::Module> model_;
    std::optional<Trainer> trainer_;
};

const models::ModelConfig kPreact{.depth = 8};
const models::ModelConfig kPlain{.depth = 8, .shortcut = models::Shortcut::none};
const models::ModelConfig kPostact{.depth = 8,
                                   .block = models::Block::postact,
                                   .shortcut = models::Shortcut::subsample_zeropad,
                                   .padding = models::Padding::symmetric};

void check_replays(const models::ModelConfig& config, DType dtype) {
    Training eager(config, dtype), recorded(config, dtype);
    auto before = eager.state();
    for (int step = 0; step < kSteps; ++step) {
        INFO(name_of(dtype) << " step " << step);
        eager.trainer().update_eagerly();
        recorded.trainer().update();
        const auto after = eager.state();
        CHECK((after != before));
        CHECK((recorded.state() == after));
        before = after;
    }
    const Averages expected = eager.trainer().take_averages(), found = recorded.trainer().take_averages();
    CHECK(found.cross_entropy == expected.cross_entropy);
    CHECK(found.weight_penalty == expected.weight_penalty);
    CHECK(found.accuracy == expected.accuracy);
}

}  // namespace

TEST_CASE("replayed steps leave the bits of eager steps: preact", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) check_replays(kPreact, dtype);
}

TEST_CASE("replayed steps leave the bits of eager steps: Plain", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) check_replays(kPlain, dtype);
}

TEST_CASE("replayed steps leave the bits of eager steps: postact", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) check_replays(kPostact, dtype);
}

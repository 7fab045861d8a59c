// Averages over batches, the learning rate of each step, and evaluation with batch sizes that do not divide the data
// set.
#include "engine/train/trainer.h"

#include <cmath>

#include "engine/ops/pool.h"
#include "tests/support/devices.h"
#include "tests/support/records.h"
#include "tests/support/reference_dense.h"

using namespace residual;
using namespace test;

namespace {

constexpr int kSamples = 10;

// A linear layer on the mean colours of an image.
class Colours final : public nn::Module {
  public:
    explicit Colours(nn::Parameters& parameters) : head_(parameters, "head", 3, 10) {}
    Variable forward(Context& context, const Variable& images) const override {
        return head_.forward(context, ops::global_average_pool(context, images));
    }

  private:
    nn::Linear head_;
};

struct Task {
    explicit Task(Backend& backend)
        : backend(backend),
          network(parameters),
          records(numbered_records(kSamples)),
          mean(upload(backend, Array({32, 32, 3}, std::vector<double>(3072, 127)), DType::kFloat32)) {
        parameters.allocate(backend, DType::kFloat32, 1);
    }

    Batches in_order(int batch) { return Batches::in_order(backend, records, mean, batch, DType::kFloat32); }
    Trainer trainer(int batch, const OptimizerConfig& optimizer, const ScheduleConfig& schedule) {
        return Trainer(backend, network, parameters, in_order(batch), optimizer, schedule);
    }
    Array weights() { return download(backend, parameters.weights()); }

    Backend& backend;
    nn::Parameters parameters;
    Colours network;
    std::vector<uint8_t> records;
    Tensor mean;
};

ScheduleConfig schedule_of(std::vector<int64_t> boundaries, std::vector<double> values) {
    ScheduleConfig schedule;
    schedule.boundaries = std::move(boundaries);
    schedule.values = std::move(values);
    return schedule;
}

}  // namespace

DEVICE_TEST_CASE("totals average over the images since the last take()", "[nn]") {
    Random random("totals");
    Totals totals(backend);
    nn::Parameters parameters;
    parameters.add("weight", {3}, nn::Role::kLinearWeight, nn::Init::kOnes);
    parameters.allocate(backend, DType::kFloat32, 1);
    const double weight_decay = 0.5;
    Sgd optimizer(backend, parameters, {.momentum = 0, .weight_decay = weight_decay}, schedule_of({}, {0}));
    const auto add = [&](int batch, const std::vector<float>& weights, Averages& sums) {
        const Array logits = rounded(random.uniform({batch, 4}, -2, 2), DType::kFloat32);
        std::vector<int32_t> labels;
        for (int i = 0; i < batch; ++i) labels.push_back(random.below(4));
        const ReferenceLoss expected(logits, labels);
        Context context{backend};
        ops::softmax_cross_entropy(context, Variable(upload(backend, logits, DType::kFloat32), false),
                                   upload_labels(backend, labels), totals.sums());
        backend.upload(weights.data(), parameters.parameters()[0]->weight);
        optimizer.update(batch, totals.sums());
        double sum_squares = 0;
        for (const double weight : weights) sum_squares += weight * weight;
        sums.cross_entropy += expected.loss * batch;
        sums.weight_penalty += weight_decay * sum_squares / 2 * batch;
        sums.accuracy += expected.correct;
    };
    for (int round = 0; round < 2; ++round) {
        Averages sums;
        add(5, {1, -1, 1}, sums);
        add(17, {0, 1, -1}, sums);
        add(1, {1, 2, 3}, sums);
        const Averages averages = totals.take();
        CHECK(averages.cross_entropy == Approx(sums.cross_entropy / 23).epsilon(1e-6));
        CHECK(averages.weight_penalty == Approx(sums.weight_penalty / 23).epsilon(1e-9));
        CHECK(averages.accuracy == Approx(sums.accuracy / 23).epsilon(1e-12));
    }
    backend.upload(std::vector<float>{1, 1, NAN}.data(), parameters.parameters()[0]->weight);
    optimizer.update(1, totals.sums());
    CHECK(totals.take().diverged_at == 7);  // Also without a loss.
    const Averages none = totals.take();
    CHECK(none.cross_entropy == 0);
    CHECK(none.accuracy == 0);
    CHECK(none.diverged_at == 0);
}

DEVICE_TEST_CASE("step s uses the scheduled learning rate for s", "[nn]") {
    Task task(backend);
    // At rate 0 the momentum changes but the weights do not.
    auto trainer = task.trainer(4, {.momentum = 0.9, .weight_decay = 0}, schedule_of({2, 4}, {1e-4, 0, 1e-5}));
    const double rates[] = {1e-4, 1e-4, 0, 0, 1e-5, 1e-5};
    Array before = task.weights();
    for (int step = 0; step < 6; ++step) {
        INFO("step " << step);
        CHECK(trainer.step() == step);
        trainer.update();
        CHECK(trainer.last_learning_rate() == rates[step]);
        const Array after = task.weights();
        CHECK((after.values != before.values) == (rates[step] > 0));
        before = after;
    }
    CHECK(trainer.step() == 6);
}

DEVICE_TEST_CASE("training averages, penalty included, are those of the weights before each update", "[nn]") {
    Task task(backend);
    const Array weights = task.weights();
    double squares = 0;
    for (const double value : weights.values) squares += value * value;  // The bias starts at zero.
    Batches all = task.in_order(kSamples);
    const Evaluation expected = evaluate(backend, task.network, all);
    auto trainer = task.trainer(kSamples, {.momentum = 0.9, .weight_decay = 0.01}, schedule_of({}, {1e-4}));
    trainer.update();
    const Averages averages = trainer.take_averages();
    CHECK(averages.cross_entropy == Approx(expected.loss).epsilon(1e-6));
    CHECK(averages.accuracy == Approx(expected.accuracy));
    CHECK(averages.weight_penalty == Approx(0.01 * squares / 2).epsilon(1e-5));
}

DEVICE_TEST_CASE("diverged_at names the update that overflowed, until the averages are taken", "[nn]") {
    Task task(backend);
    auto trainer = task.trainer(4, {.momentum = 0.9, .weight_decay = 0}, schedule_of({2, 3}, {1e-4, 3e38, 1e-4}));
    for (const int64_t diverged_at : {0, 0, 3, 3, 3}) {
        trainer.update();
        INFO("after update " << trainer.step());
        CHECK(trainer.peek_averages().diverged_at == diverged_at);
    }
    CHECK(trainer.take_averages().diverged_at == 3);
    CHECK(trainer.peek_averages().diverged_at == 0);
    trainer.update();
    CHECK(trainer.take_averages().diverged_at == 6);
}

DEVICE_TEST_CASE("evaluation counts every image once, and returns logits in the order of the data", "[nn]") {
    Task task(backend);
    Array expected_input({kSamples, 3});
    std::vector<int32_t> labels;
    for (int n = 0; n < kSamples; ++n) {
        labels.push_back(n);
        for (int c = 0; c < 3; ++c)
            for (int i = 0; i < 1024; ++i)
                expected_input.values[n * 3 + c] += (byte_of(task.records, n, i / 32, i % 32, c) - 127.0) / 1024;
    }
    const Array weight = download(backend, task.parameters.parameters()[0]->weight);
    const Array logits = product(expected_input, transposed(weight));
    const ReferenceLoss expected(logits, labels);
    for (const int batch : {1, 3, 4, 10, 16}) {
        INFO("batch " << batch);
        Batches batches = task.in_order(batch);
        std::vector<float> written;
        const Evaluation result = evaluate(backend, task.network, batches, &written);
        CHECK(result.loss == Approx(expected.loss).epsilon(1e-5));
        CHECK(result.accuracy == Approx(expected.correct / 10.0));
        const Array actual({kSamples, 10}, std::vector<double>(written.begin(), written.end()));
        CHECK(relative_error(actual, logits) <= 1e-5);
    }
}

// Trains a network that is not a ResNet: it has branches and a shared weight.
#include "engine/ops/loss.h"
#include "engine/optim/sgd.h"
#include "tests/autograd/two_branches.h"
#include "tests/support/devices.h"

using namespace residual;
using namespace test;

namespace {

// The cross-entropy of each step. Each step uses new images.
std::vector<double> train_two_branches(Backend& backend, DType activations, int steps) {
    nn::Parameters parameters;
    const TwoBranches network(parameters);
    parameters.allocate(backend, activations, 1);
    ScheduleConfig constant;
    constant.boundaries = {};
    constant.values = {0.05};
    Sgd optimizer(backend, parameters, {.momentum = 0.9, .weight_decay = 1e-4}, constant);
    Random random("gratings");
    std::vector<double> losses;
    for (int step = 0; step < steps; ++step) {
        const Gratings batch = draw_gratings(random, 32);
        Tape tape;
        Context context{backend, &tape, true};
        parameters.clear_gradients();
        const Variable logits = network.forward(context, Variable(upload(backend, batch.images, activations), false));
        const auto result = ops::softmax_cross_entropy(context, logits, upload_labels(backend, batch.labels));
        tape.backward(backend, result.loss);
        optimizer.update(32);
        losses.push_back(download(backend, result.loss.value()).values[0]);
    }
    return losses;
}

double mean_of_last(const std::vector<double>& losses, int count) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += losses[losses.size() - 1 - i];
    return sum / count;
}

}  // namespace

DEVICE_TEST_CASE("a network with two branches and a shared weight learns", "[autograd]") {
    for (const DType activations : {DType::kFloat32, DType::kBFloat16}) {
        INFO(name_of(activations));
        const auto losses = train_two_branches(backend, activations, 60);
        const double chance = std::log(TwoBranches::kClasses);
        CHECK(losses.front() > 0.6 * chance);
        CHECK(mean_of_last(losses, 10) < 0.05 * chance);
    }
}

DEVICE_TEST_CASE("training twice gives the same bits", "[autograd]") {
    CHECK(train_two_branches(backend, DType::kFloat32, 5) == train_two_branches(backend, DType::kFloat32, 5));
}

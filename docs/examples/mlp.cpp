// Trains a small network to tell two spirals apart. To build it against an installed Residual:
//
//     g++ -std=c++20 mlp.cpp $(pkg-config --cflags --libs residual) -o mlp
//
// README.md shows the part between the two [readme] lines.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

// [readme]
#include "engine/ops/elementwise.h"
#include "engine/train/device.h"
#include "engine/train/trainer.h"

using namespace residual;

struct Mlp : nn::Module {
    nn::Linear hidden, output;
    explicit Mlp(nn::Parameters& p) : hidden(p, "hidden", 2, 64), output(p, "output", 64, 2) {}
    Variable forward(Context& context, const Variable& x) const override {
        return output.forward(context, ops::relu(context, hidden.forward(context, x)));
    }
};

// points [count, 2] and labels [count], in host memory.
void train(Backend& device, const Mlp& model, nn::Parameters& parameters,
           const std::vector<float>& points, const std::vector<int32_t>& labels) {
    const int count = static_cast<int>(labels.size());
    const Batch batch{device.from_host(points.data(), {count, 2}),
                      device.from_host(labels.data(), {count})};
    parameters.allocate(device, DType::kFloat32, /*seed=*/0);
    Sgd sgd(device, parameters, {.momentum = 0.9, .weight_decay = 0},
            {.boundaries = {}, .values = {0.1}});
    Totals totals(device);
    for (int step = 1; step <= 1000; ++step) {
        compute_gradients(device, model, parameters, batch, totals.sums());  // forward and backward
        sgd.update(count, totals.sums());
        if (step % 200 == 0) std::printf("step %d  loss %.3f\n", step, totals.take().cross_entropy);
    }
}
// [readme]

// Noisy points on the two arms of a spiral.
struct Spirals {
    std::vector<float> points;
    std::vector<int32_t> labels;

    Spirals(int count, unsigned seed) {
        std::mt19937 random(seed);
        std::uniform_real_distribution<float> along(0, 1);
        std::normal_distribution<float> noise(0, 0.02f);
        for (int i = 0; i < count; ++i) {
            const float t = along(random), angle = 5 * t + 3.14159f * static_cast<float>(i % 2);
            points.push_back(t * std::cos(angle) + noise(random));
            points.push_back(t * std::sin(angle) + noise(random));
            labels.push_back(i % 2);
        }
    }
};

int main() {
    const auto device = make_backend({});  // a GPU if there is one, else the CPU
    nn::Parameters parameters;
    const Mlp model(parameters);
    const Spirals training(500, 1), test(500, 2);
    train(*device, model, parameters, training.points, training.labels);

    Context inference{*device};
    Totals totals(*device);
    const Variable logits =
        model.forward(inference, {device->from_host(test.points.data(), {500, 2}), false});
    ops::softmax_cross_entropy(inference, logits, device->from_host(test.labels.data(), {500}),
                               totals.sums());
    std::printf("test accuracy %.1f %%\n", 100 * totals.take().accuracy);
}

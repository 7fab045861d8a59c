// One training step in bfloat16 from the state of a golden file, and checks of its results.
#pragma once

#include <algorithm>
#include <map>

#include "tests/support/golden.h"

namespace test {

// The golden files of steps in bfloat16.
inline const char* const kNarrowNetworks[] = {"bf16_preact", "bf16_plain"};

struct Step {
    std::map<std::string, std::vector<float>> gradients;  // By parameter, of the cross-entropy alone.
    std::map<std::string, std::vector<float>> weights;    // By parameter, after the update.
    // By names of the golden file: loss.first, cross_entropy.first, grad.<name> (with weight decay), after1.<name>.
    std::map<std::string, std::vector<float>> golden;
};

inline Step one_step(std::unique_ptr<residual::Backend> device, const GoldenFile& golden) {
    GoldenNetwork network(std::move(device), golden, residual::DType::kBFloat16);
    residual::Backend& backend = *network.backend;
    auto& parameters = network.parameters;
    residual::ScheduleConfig schedule;
    schedule.boundaries = {};
    schedule.values = {golden.number("learning_rate")};
    residual::Sgd optimizer(backend, parameters, golden.optimizer(), schedule);
    residual::Totals totals(backend);

    Step step;
    residual::compute_gradients(backend, *network.model, parameters, network.batch, totals.sums());
    for (const auto& parameter : parameters.parameters()) {
        step.gradients[parameter->name] = network.read(parameter->gradient);
    }
    optimizer.update(static_cast<int>(network.batch.labels.elements()), totals.sums());
    const auto averages = totals.take();
    step.golden["cross_entropy.first"] = {static_cast<float>(averages.cross_entropy)};
    step.golden["loss.first"] = {static_cast<float>(averages.cross_entropy + averages.weight_penalty)};
    for (const auto& parameter : parameters.parameters()) {
        step.weights[parameter->name] = network.read(parameter->weight);
        step.golden["after1." + parameter->name] = step.weights[parameter->name];
        // After one step the momentum is the gradient with weight decay.
        step.golden["grad." + parameter->name] = network.read(parameter->momentum);
    }
    for (const auto& buffer : parameters.buffers()) step.golden["after1." + buffer->name] = network.read(buffer->value);
    return step;
}

// |after - before| / |after| of a tensor that the step updates, in the golden file.
inline double relative_change(const GoldenFile& golden, const std::string& name) {
    return relative_error(golden.values("before." + name), golden.values("after1." + name));
}

// Every tensor may deviate from float64 by 1.5 times the deviation of PyTorch's autocast, or by the rounding error of
// bfloat16 if that is larger: 2^-9 of the gradient, the loss, or the change by the update.
inline void check_near_float64(const Step& step, const GoldenFile& golden) {
    constexpr double kFactor = 1.5, kRounding = 0x1p-9;
    const auto autocast = golden.json("autocast_deviation");
    for (const auto& [name, values] : step.golden) {
        const bool updated = name.rfind("after1.", 0) == 0;
        const double floor = kRounding * (updated ? relative_change(golden, name.substr(7)) : 1);
        INFO(name);
        CHECK(relative_error(values, golden.values(name)) <=
              std::max(kFactor * autocast.at(name).get<double>(), floor));
    }
}

// Two steps that round to bfloat16 at the same points differ only in the order of float32 sums.
inline void check_alike(const Step& step, const Step& expected) {
    constexpr double kTolerance = 2e-2;
    REQUIRE(step.gradients.size() == expected.gradients.size());
    for (const auto& [name, gradient] : step.gradients) {
        INFO(name);
        CHECK(relative_error(gradient, expected.gradients.at(name)) <= kTolerance);
        CHECK(relative_error(step.weights.at(name), expected.weights.at(name)) <= kTolerance);
    }
}

}  // namespace test

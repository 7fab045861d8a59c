// SGD with momentum, compared with a loop in double precision.
#include "engine/optim/sgd.h"

#include "tests/support/array.h"
#include "tests/support/devices.h"

using namespace residual;
using namespace test;
using nn::Init;
using nn::Parameters;
using nn::Role;

namespace {

void declare(Parameters& parameters) {
    parameters.add("norm.weight", {17}, Role::kVector, Init::kOnes);
    parameters.add("conv.weight", {5, 3, 3, 3}, Role::kConvWeight, Init::kXavierUniform);
    parameters.add("head.weight", {7, 5}, Role::kLinearWeight, Init::kXavierUniform);
    parameters.add("head.bias", {7}, Role::kVector, Init::kZeros);
}

constexpr double kMomentum = 0.9, kWeightDecay = 0.05;

}  // namespace

DEVICE_TEST_CASE("SGD equals a loop in double precision, with weight decay on weights only", "[nn]") {
    const auto kind = GENERATE(OptimizerKind::sgd, OptimizerKind::nesterov);
    for (const DType activations : {DType::kFloat32, DType::kBFloat16}) {
        INFO(name_of(kind) << ' ' << name_of(activations));
        Parameters parameters;
        declare(parameters);
        parameters.allocate(backend, activations, 5);
        ScheduleConfig schedule;
        schedule.boundaries = {2, 3, 4};
        schedule.values = {0.1, 0.01, 0.5, 0};
        Sgd optimizer(backend, parameters, {.kind = kind, .momentum = kMomentum, .weight_decay = kWeightDecay},
                      schedule);
        const auto& all = parameters.parameters();
        std::vector<Array> weights, velocities;
        for (const auto& parameter : all) {
            weights.push_back(download(backend, parameter->weight));
            velocities.emplace_back(parameter->shape);
        }

        Random random("gradients");
        for (const double rate : {0.1, 0.1, 0.01, 0.5, 0.0}) {
            parameters.clear_gradients();
            for (size_t i = 0; i < all.size(); ++i) {
                const Array gradient = rounded(random.uniform(all[i]->shape), DType::kFloat32);
                all[i]->variable.add_grad(backend, upload(backend, gradient, DType::kFloat32));
                const double decay = all[i]->role == Role::kVector ? 0 : kWeightDecay;
                for (size_t k = 0; k < gradient.values.size(); ++k) {
                    double& v = velocities[i].values[k];
                    double& w = weights[i].values[k];
                    const double slope = gradient.values[k] + decay * w;
                    v = kMomentum * v + slope;
                    w -= rate * (kind == OptimizerKind::nesterov ? slope + kMomentum * v : v);
                }
            }
            optimizer.update(1);
            for (size_t i = 0; i < all.size(); ++i) {
                INFO(all[i]->name << " rate " << rate);
                CHECK(relative_error(download(backend, all[i]->weight), weights[i]) <= 1e-6);
                CHECK(relative_error(download(backend, all[i]->momentum), velocities[i]) <= 1e-6);
                // The next forward pass uses the updated weights.
                const Tensor& used = all[i]->variable.value();
                const Array master = download(backend, all[i]->weight);
                CHECK(download(backend, used).values == rounded(master, used.dtype()).values);
            }
        }
        CHECK(values_of<int64_t>(backend, optimizer.step()).front() == 5);
    }
}

DEVICE_TEST_CASE("with a zero gradient only weight decay changes the weights", "[nn]") {
    Parameters parameters;
    declare(parameters);
    parameters.allocate(backend, DType::kFloat32, 5);
    std::vector<Array> before;
    double squares = 0;
    for (const auto& parameter : parameters.parameters()) {
        before.push_back(download(backend, parameter->weight));
        if (parameter->role == Role::kVector) continue;
        for (const double value : before.back().values) squares += value * value;
    }
    ScheduleConfig constant;
    constant.boundaries = {};
    constant.values = {0.1};
    Sgd optimizer(backend, parameters, {.momentum = kMomentum, .weight_decay = kWeightDecay}, constant);
    const Tensor totals = backend.zeros({sizeof(kernels::Metrics)}, DType::kUInt8);
    optimizer.update(6, totals);
    kernels::Metrics sums;
    backend.download(totals, &sums);
    CHECK(sums.weight_penalty == Approx(6 * kWeightDecay * squares / 2).epsilon(1e-6));
    for (size_t i = 0; i < before.size(); ++i) {
        const auto& parameter = *parameters.parameters()[i];
        INFO(parameter.name);
        const Array after = download(backend, parameter.weight);
        if (parameter.role == Role::kVector) {
            CHECK(after.values == before[i].values);
        } else {
            for (double& value : before[i].values) value *= 1 - 0.1 * kWeightDecay;
            CHECK(relative_error(after, before[i]) <= 1e-6);
        }
    }
    // The gaps between parameters stay zero; otherwise they would count in the penalty.
    double inside = 0, all = 0;
    for (const auto& parameter : parameters.parameters()) {
        for (const double value : download(backend, parameter->weight).values) inside += value * value;
    }
    for (const double value : download(backend, parameters.weights()).values) all += value * value;
    CHECK(all == Approx(inside).epsilon(1e-12));
}

// One training step, from the forward pass to the update: CUDA compared with the CPU, with equal weights and images.
#include "tests/support/devices.h"
#include "tests/support/golden.h"

using namespace residual;

namespace {

// In the initial states of the golden files no ReLU input is so close to zero that float32 rounding changes its sign.
constexpr const char* kNetworks[] = {"depth8_preact", "depth8_plain", "depth8_postact", "depth8_postact_projection"};

struct Named {
    std::string name;
    std::vector<float> values;
};

// The loss, and every gradient, updated weight, momentum and running statistic of one step.
std::vector<Named> step(std::unique_ptr<Backend> device, const test::GoldenFile& golden, DType dtype) {
    test::GoldenNetwork network(std::move(device), golden, dtype);
    Backend& backend = *network.backend;
    ScheduleConfig schedule;
    schedule.boundaries = {};
    schedule.values = {0.1};
    Sgd optimizer(backend, network.parameters, {.momentum = 0.9, .weight_decay = 0.05}, schedule);
    const auto result = compute_gradients(backend, *network.model, network.parameters, network.batch);
    std::vector<Named> tensors = {{"loss", network.read(result.loss.value())}};
    for (const auto& parameter : network.parameters.parameters()) {
        tensors.push_back({"gradient of " + parameter->name, network.read(parameter->gradient)});
    }
    optimizer.update(static_cast<int>(network.batch.labels.elements()));
    for (const auto& parameter : network.parameters.parameters()) {
        tensors.push_back({parameter->name, network.read(parameter->weight)});
        tensors.push_back({"momentum of " + parameter->name, network.read(parameter->momentum)});
    }
    for (const auto& buffer : network.parameters.buffers()) {
        tensors.push_back({buffer->name, network.read(buffer->value)});
    }
    return tensors;
}

void check_step(const char* name, DType dtype, double allowed) {
    const test::GoldenFile golden(name);
    const auto expected = step(make_cpu_backend(), golden, dtype), found = step(make_cuda_backend({}), golden, dtype);
    REQUIRE(found.size() == expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
        INFO(name << " " << name_of(dtype) << ": " << found[i].name);
        CHECK(test::relative_error(found[i].values, expected[i].values) <= allowed);
    }
}

}  // namespace

TEST_CASE("a step in float32 on CUDA agrees with the CPU", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const char* name : kNetworks) check_step(name, DType::kFloat32, 1e-4);
}

TEST_CASE("a step in bfloat16 on CUDA agrees with the CPU", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const char* name : kNetworks) check_step(name, DType::kBFloat16, 2e-2);
}

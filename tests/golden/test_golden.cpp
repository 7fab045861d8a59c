// Networks compared with PyTorch in float64: evaluation, first step, ten steps. See README.md.
#include "tests/support/golden.h"
#include "tests/support/reference_fused.h"

namespace {

using test::GoldenFile;
using test::GoldenNetwork;
using test::relative_error;

struct Golden {
    const char* name;
    double logits, loss, gradient;  // Largest relative L2 errors allowed.
};

constexpr double kTight = 1e-4;

// README.md derives the bounds at full depth. full_resnet56 stores its gradients in bfloat16.
const Golden kCases[] = {
    {"depth8_preact", 1e-5, 1e-5, kTight},
    {"depth8_plain", 1e-5, 1e-5, kTight},
    {"depth8_postact", 1e-5, 1e-5, kTight},
    {"depth8_postact_projection", 1e-5, 1e-5, kTight},
    {"depth8_preact_projection", 1e-5, 1e-5, kTight},
    {"depth8_preact_subsample", 1e-5, 1e-5, kTight},
    {"depth10_wide", 1e-5, 1e-5, kTight},
    {"full_resnet20", 1e-5, 1e-5, 1e-3},
    {"full_plain20", 1e-5, 1e-5, 1e-3},
    {"full_postact20", 1e-5, 1e-5, 1e-3},
    {"full_resnet56", 1e-5, 1e-5, 5e-3},
};

void check_case(std::unique_ptr<residual::Backend> backend, const Golden& allowed) {
    INFO(allowed.name);
    const GoldenFile golden(allowed.name);
    GoldenNetwork network(std::move(backend), golden);
    residual::Backend& device = *network.backend;
    auto& parameters = network.parameters;

    residual::Context evaluation{device, nullptr, false};
    const auto logits = network.model->forward(evaluation, residual::Variable(network.batch.images, false));
    CHECK(relative_error(network.read(logits.value()), golden.values("logits.eval")) <= allowed.logits);

    // The first update has rate 0: it copies the gradient to the momentum and leaves the weights unchanged.
    residual::ScheduleConfig schedule;
    schedule.boundaries = {1};
    schedule.values = {0, golden.number("learning_rate")};
    residual::Sgd optimizer(device, parameters, golden.optimizer(), schedule);
    const auto batch = static_cast<int>(network.batch.labels.elements());
    const int steps = golden.has("after10.head.weight") ? static_cast<int>(golden.number("steps")) : 1;
    for (int step = 0; step < steps; ++step) {
        residual::Totals totals(device);
        residual::compute_gradients(device, *network.model, parameters, network.batch, totals.sums());
        if (step == 0) {
            optimizer.update(batch, totals.sums());
            const auto averages = totals.take();
            const auto loss = static_cast<float>(averages.cross_entropy + averages.weight_penalty);
            CHECK(relative_error(std::vector{loss}, golden.values("loss.first")) <= allowed.loss);
            // The first momentum is the gradient including weight decay.
            for (const auto& parameter : parameters.parameters()) {
                INFO(parameter->name);
                CHECK(relative_error(network.read(parameter->momentum), golden.values("grad." + parameter->name)) <=
                      allowed.gradient);
            }
            device.fill_zero(parameters.momenta());
        }
        optimizer.update(batch);
    }
    if (steps == 1) return;
    for (const auto& parameter : parameters.parameters()) {
        INFO(parameter->name);
        CHECK(relative_error(network.read(parameter->weight), golden.values("after10." + parameter->name)) <= kTight);
        CHECK(relative_error(network.read(parameter->momentum), golden.values("after10.momentum." + parameter->name)) <=
              kTight);
    }
    for (const auto& buffer : parameters.buffers()) {
        INFO(buffer->name);
        CHECK(relative_error(network.read(buffer->value), golden.values("after10." + buffer->name)) <= kTight);
    }
}

}  // namespace

TEST_CASE("Networks agree with PyTorch's float64 on the CPU") {
    for (const Golden& golden : kCases) check_case(residual::make_cpu_backend(), golden);
}

TEST_CASE("Networks agree with PyTorch's float64 with fused operations") {
    for (const Golden& golden : kCases) check_case(test::make_reference_fused_backend(), golden);
}

TEST_CASE("Networks agree with PyTorch's float64 with fused and composed operations mixed") {
    test::FusedSelection selection;
    SECTION("BN-ReLU-conv fused only if the number of channels stays") {
        selection.bn_relu_conv = [](const auto& conv) { return conv.in_channels == conv.out_channels; };
    }
    SECTION("BN-ReLU-conv fused only if the number of channels changes") {
        selection.bn_relu_conv = [](const auto& conv) { return conv.in_channels != conv.out_channels; };
    }
    SECTION("only BN-ReLU-conv fused") {
        selection.stem = false;
        selection.classifier = false;
    }
    SECTION("only stem and classifier fused") {
        selection.bn_relu_conv = [](const auto&) { return false; };
    }
    for (const Golden& golden : kCases) check_case(test::make_reference_fused_backend(selection), golden);
}

TEST_CASE("Networks agree with PyTorch's float64 on the GPU", "[gpu]") {
    if (const std::string reason = residual::why_no_cuda(); !reason.empty()) {
        WARN("skipped: no GPU (" << reason << ")");
        return;
    }
    for (const Golden& golden : kCases) check_case(residual::make_cuda_backend({}), golden);
}

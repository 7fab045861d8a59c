// The number of kernels, memsets and copies in a fused training step, counted by the emulator.
#include <cstdio>

#include "engine/data/cifar10.h"
#include "engine/nn/trace.h"
#include "models/registry.h"
#include "tests/catch.h"
#include "tests/emulator/stream.h"
#include "tests/support/training.h"
#include "tools/bench/kernel_bench/step_kernels.h"

using namespace residual;

namespace {

// While it exists, the emulator counts operations without executing them.
class DryScope {
  public:
    DryScope() { emulator::set_dry(true); }
    ~DryScope() { emulator::set_dry(false); }
};

constexpr int kBatch = 128;  // Determines the choice between one backward kernel and two.

struct LaunchCase {
    const char* name;
    models::ResNetConfig model;
    int64_t fused, composed;  // Operations per step.
};

const LaunchCase kCases[] = {
    {"ResNet-20", {.depth = 20}, 57, 146},
    {"ResNet-56", {.depth = 56}, 153, 398},
    {"ResNet-110", {.depth = 110}, 297, 776},
    {"Plain-20", {.depth = 20, .shortcut = models::Shortcut::none}, 55, 124},
    {"Plain-56", {.depth = 56, .shortcut = models::Shortcut::none}, 151, 340},
};

template <class Step>
emulator::Counts counted(Step step) {
    emulator::reset_counts();
    step();
    return emulator::counts();
}

}  // namespace

TEST_CASE("a fused step, eager or replayed, has few launches and no library calls", "[fused_step]") {
    const DryScope dry;
    for (const LaunchCase& c : kCases) {
        INFO(c.name);
        test::Training training(c.model, DType::kBFloat16, {.fused = true}, kBatch);
        Trainer& trainer = training.trainer();
        trainer.update();  // One-time initialisation.
        const auto eager = counted([&] { trainer.update(); });
        std::printf("%s: %lld operations\n", c.name, static_cast<long long>(eager.total()));
        for (const auto& [name, count] : eager.by_name) {
            std::printf("%8lld  %s\n", static_cast<long long>(count), name.c_str());
        }
        CHECK(eager.total() == c.fused);
        CHECK(eager.library_calls == 0);
        CHECK(eager.graph_launches == 0);

        trainer.update();  // Records, and replays once.
        const auto replayed = counted([&] { trainer.update(); });
        CHECK(replayed.graph_launches == 1);
        CHECK(replayed.total() == eager.total());
        CHECK(replayed.by_name == eager.by_name);
    }
}

TEST_CASE("the number of launches of a composed step in bfloat16", "[fused_step]") {
    const DryScope dry;
    for (const LaunchCase& c : kCases) {
        INFO(c.name);
        test::Training training(c.model, DType::kBFloat16, {.fused = false}, kBatch);
        training.trainer().update();  // One-time initialisation.
        CHECK(counted([&] { training.trainer().update(); }).total() == c.composed);
    }
}

TEST_CASE("the kernels derived from the trace of a forward pass match those of a fused step", "[fused_step]") {
    const auto backend = make_cpu_backend();
    for (const LaunchCase& c : kCases) {
        INFO(c.name);
        nn::Parameters parameters;
        const auto model = models::make_model(parameters, c.model, cifar10_description());
        parameters.allocate(*backend, DType::kFloat32, 0);
        const Tensor image = backend->zeros({1, 32, 32, 3}, DType::kFloat32);
        const auto kernels =
            bench::fused_step_kernels(nn::trace_forward(*backend, *model, parameters, image, true), kBatch);
        CHECK(static_cast<int64_t>(kernels.size()) == c.fused);
    }
}

// How many kernels, memsets and copies a fused training step takes, counted by the emulator.
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

// Operations are counted and not done while it lives.
class DryScope {
  public:
    DryScope() { emulator::set_dry(true); }
    ~DryScope() { emulator::set_dry(false); }
};

constexpr int kBatch = 128;  // The byte model chooses between one backward kernel and two by it.

struct LaunchCase {
    const char* name;
    models::ResNetConfig model;
    int64_t fused, composed;  // Operations of a step.
};

const LaunchCase kCases[] = {
    {"ResNet-20", {.depth = 20}, 57, 321},
    {"ResNet-56", {.depth = 56}, 153, 897},
    {"ResNet-110", {.depth = 110}, 297, 1761},
    {"Plain-20", {.depth = 20, .shortcut = models::Shortcut::none}, 55, 318},
    {"Plain-56", {.depth = 56, .shortcut = models::Shortcut::none}, 151, 894},
};

template <class Step>
emulator::Counts counted(Step step) {
    emulator::reset_counts();
    step();
    return emulator::counts();
}

}  // namespace

TEST_CASE("a fused step takes few launches, recorded or not, and none of a library", "[fused_step]") {
    const DryScope dry;
    for (const LaunchCase& c : kCases) {
        INFO(c.name);
        test::Training training(c.model, DType::kBFloat16, {.fused = true}, kBatch);
        Trainer& trainer = training.trainer();
        trainer.update();  // The first step may make what later ones find.
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

TEST_CASE("a composed step in bfloat16 takes this many launches", "[fused_step]") {
    const DryScope dry;
    for (const LaunchCase& c : kCases) {
        INFO(c.name);
        test::Training training(c.model, DType::kBFloat16, {.fused = false}, kBatch);
        training.trainer().update();  // The first step may make what later ones find.
        CHECK(counted([&] { training.trainer().update(); }).total() == c.composed);
    }
}

TEST_CASE("the kernels counted from the trace of a forward pass are those that a fused step launches", "[fused_step]") {
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

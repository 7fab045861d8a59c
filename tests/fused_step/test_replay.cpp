// A fused training step recorded once and replayed, against the same step run eagerly: the same bits, on pictures, a
// learning rate and a step number that change from step to step.
#include "tests/support/devices.h"
#include "tests/support/training.h"

using namespace engine;

namespace {

constexpr int kBatch = 2, kSteps = 5;

void check_replays(const models::ModelConfig& config) {
    if (test::skipped_without_gpu()) return;
    const CudaOptions options{.fused = true};
    test::Training eager(config, DType::kBFloat16, options, kBatch);
    test::Training recorded(config, DType::kBFloat16, options, kBatch);
    REQUIRE(eager.backend().fused() != nullptr);
    auto before = eager.state();
    for (int step = 0; step < kSteps; ++step) {
        INFO("step " << step);
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

TEST_CASE("replays of a fused step leave the bits of eager steps: ResNet-8", "[fused_step][gpu]") {
    check_replays({.depth = 8});
}

TEST_CASE("replays of a fused step leave the bits of eager steps: Plain-8", "[fused_step][gpu]") {
    check_replays({.depth = 8, .shortcut = models::Shortcut::none});
}

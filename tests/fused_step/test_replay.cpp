// A fused training step, recorded and replayed, compared with eager steps.
#include "tests/support/devices.h"
#include "tests/support/training.h"

TEST_CASE("a replayed fused step gives the bits of an eager step: ResNet-8", "[fused_step][gpu]") {
    if (test::skipped_without_gpu()) return;
    test::check_replays(test::kPreact, residual::DType::kBFloat16, {.fused = true});
}

// Most of its shapes have no fused kernel and are composed.
TEST_CASE("a replayed fused step gives the bits of an eager step: WRN-10-2", "[fused_step][gpu]") {
    if (test::skipped_without_gpu()) return;
    test::check_replays(test::kWide, residual::DType::kBFloat16, {.fused = true});
}

TEST_CASE("a replayed fused step gives the bits of an eager step: Plain-8", "[fused_step][gpu]") {
    if (test::skipped_without_gpu()) return;
    test::check_replays(test::kPlain, residual::DType::kBFloat16, {.fused = true});
}

// A fused training step recorded once and replayed, against the same step run eagerly.
#include "tests/support/devices.h"
#include "tests/support/training.h"

TEST_CASE("replays of a fused step leave the bits of eager steps: ResNet-8", "[fused_step][gpu]") {
    if (test::skipped_without_gpu()) return;
    test::check_replays(test::kPreact, residual::DType::kBFloat16, {.fused = true});
}

// No fused kernel knows most of its shapes: those are composed.
TEST_CASE("replays of a fused step leave the bits of eager steps: WRN-10-2", "[fused_step][gpu]") {
    if (test::skipped_without_gpu()) return;
    test::check_replays(test::kWide, residual::DType::kBFloat16, {.fused = true});
}

TEST_CASE("replays of a fused step leave the bits of eager steps: Plain-8", "[fused_step][gpu]") {
    if (test::skipped_without_gpu()) return;
    test::check_replays(test::kPlain, residual::DType::kBFloat16, {.fused = true});
}

// A training step recorded once and replayed, against the same step run eagerly: the same bits, on images, a learning
// rate and a step number that change from step to step.
#include "tests/support/devices.h"
#include "tests/support/training.h"

using residual::DType;

TEST_CASE("replayed steps leave the bits of eager steps: preact", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) test::check_replays(test::kPreact, dtype, {});
}

TEST_CASE("replayed steps leave the bits of eager steps: Plain", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) test::check_replays(test::kPlain, dtype, {});
}

TEST_CASE("replayed steps leave the bits of eager steps: postact", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) test::check_replays(test::kPostact, dtype, {});
}

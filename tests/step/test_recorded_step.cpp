// A recorded and replayed training step must give the same bits as an eager one, with images, learning rate and step
// number that change every step.
#include "tests/support/devices.h"
#include "tests/support/training.h"

using residual::DType;

TEST_CASE("replayed steps equal eager steps bit for bit: preact", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) test::check_replays(test::kPreact, dtype, {});
}

TEST_CASE("replayed steps equal eager steps bit for bit: Plain", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) test::check_replays(test::kPlain, dtype, {});
}

TEST_CASE("replayed steps equal eager steps bit for bit: postact", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) test::check_replays(test::kPostact, dtype, {});
}

// A training step recorded once and replayed, against the same step run eagerly: the same bits, on pictures, a learning
// rate and a step number that change from step to step.
#include "tests/step/training.h"
#include "tests/support/devices.h"

using namespace engine;
using test::Training;

namespace {

constexpr int kSteps = 6;

void check_replays(const models::ModelConfig& config, DType dtype) {
    Training eager(config, dtype), recorded(config, dtype);
    auto before = eager.state();
    for (int step = 0; step < kSteps; ++step) {
        INFO(name_of(dtype) << " step " << step);
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

TEST_CASE("replayed steps leave the bits of eager steps: preact", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) check_replays(test::kPreact, dtype);
}

TEST_CASE("replayed steps leave the bits of eager steps: Plain", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) check_replays(test::kPlain, dtype);
}

TEST_CASE("replayed steps leave the bits of eager steps: postact", "[gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) check_replays(test::kPostact, dtype);
}

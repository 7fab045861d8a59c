// Memory use of a step: constant from step to step, and no more per layer than backward needs.
#include "engine/data/cifar10.h"
#include "tests/catch.h"
#include "tools/run/session.h"

namespace {

constexpr int kBatch = 8;

struct Fixture : residual::tools::Session {
    explicit Fixture(int depth)
        : Session({.model = residual::models::ResNetConfig{.depth = depth},
                   .train = {.batch_size = kBatch,
                             .precision = residual::PrecisionChoice::fp32,
                             .device = residual::DeviceChoice::cpu}}),
          batches(test_batches(std::vector<uint8_t>(size_t{kBatch} * residual::Cifar10::kRecordBytes, 0),
                               set_mean(std::vector<float>(32 * 32 * 3, 0)))) {}
    void step() { residual::compute_gradients(*backend, *model, parameters, batches.get(0)); }

    residual::Batches batches;
};

}  // namespace

TEST_CASE("memory use does not grow from step to step") {
    Fixture fixture(20);
    fixture.step();
    const size_t in_use = fixture.backend->arena().bytes_in_use();
    const size_t reserved = fixture.backend->arena().bytes_reserved();
    for (int i = 0; i < 3; ++i) fixture.step();
    CHECK(fixture.backend->arena().bytes_in_use() == in_use);
    CHECK(fixture.backend->arena().bytes_reserved() == reserved);
}

TEST_CASE("a residual unit keeps only its two convolution outputs per image") {
    Fixture shallow(8), deep(14);
    shallow.step();
    deep.step();
    // One more unit in each stage: two activations of 16x32x32, 32x16x16 and 64x8x8 floats per image.
    const size_t activations = size_t{kBatch} * 2 * sizeof(float) * (16 * 32 * 32 + 32 * 16 * 16 + 64 * 8 * 8);
    const size_t weights = 3 * sizeof(float) * (2 * 9 * (16 * 16 + 32 * 32 + 64 * 64));
    const size_t added = deep.backend->arena().bytes_reserved() - shallow.backend->arena().bytes_reserved();
    CHECK(added <= activations + weights + (size_t{8} << 20));
}

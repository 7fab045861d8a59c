// The message of an out-of-memory error says what the memory was for and advises a smaller batch only if that helps.
#include "engine/core/host_memory.h"
#include "tests/catch.h"
#include "tools/run/session.h"

using namespace residual;

namespace {

// Nearly all memory, which is never available.
int64_t too_much() {
    return static_cast<int64_t>(host_memory().total - (uint64_t{16} << 20));
}

class TooLarge final : public nn::Module {
  public:
    Variable forward(Context& context, const Variable& x) const override {
        const int64_t batch = x.shape()[0];
        return Variable(context.backend.empty({batch, too_much() / batch}, DType::kUInt8), false);
    }
};

struct Fixture : tools::Session {
    explicit Fixture(int64_t batch_size)
        : Session({.model = models::ResNetConfig{.depth = 8},
                   .train = {.batch_size = batch_size, .device = DeviceChoice::cpu}}),
          mean(set_mean(std::vector<float>(32 * 32 * 3, 0))),
          records(static_cast<size_t>(batch_size * data.record_bytes()), 0) {
        model = std::make_unique<TooLarge>();
    }

    Tensor mean;
    std::vector<uint8_t> records;
};

}  // namespace

TEST_CASE("a batch that does not fit: the message advises a smaller one", "[train]") {
    Fixture fixture(3);
    Trainer trainer = fixture.trainer(fixture.records, fixture.mean);
    CHECK_THROWS_WITH(trainer.update(), StartsWith("out of memory for a training step on 3 images: cannot allocate ") &&
                                            EndsWith(", or start a run with a smaller train.batch_size"));
    Batches batches = fixture.test_batches(fixture.records, fixture.mean);
    CHECK_THROWS_WITH(evaluate(*fixture.backend, *fixture.model, batches),
                      StartsWith("out of memory for an evaluation of 3 images: cannot allocate ") &&
                          !ContainsSubstring("train.batch_size"));
}

TEST_CASE("one image that does not fit: the message does not advise a smaller batch", "[train]") {
    Fixture fixture(1);
    Trainer trainer = fixture.trainer(fixture.records, fixture.mean);
    CHECK_THROWS_WITH(trainer.update(),
                      StartsWith("out of memory for a training step on one image: cannot allocate ") &&
                          !ContainsSubstring("train.batch_size"));
    Batches batches = fixture.test_batches(fixture.records, fixture.mean);
    CHECK_THROWS_WITH(
        evaluate(*fixture.backend, *fixture.model, batches),
        StartsWith("out of memory for an evaluation of one image: ") && !ContainsSubstring("train.batch_size"));
}

TEST_CASE("weights that do not fit are named", "[train]") {
    Fixture fixture(1);
    nn::Parameters parameters;
    parameters.add("weight", {too_much() / 4}, nn::Role::kVector, nn::Init::kZeros);
    CHECK_THROWS_WITH(parameters.allocate(*fixture.backend, DType::kFloat32, 0),
                      StartsWith("out of memory for the weights, gradients and momenta: cannot allocate ") &&
                          !ContainsSubstring("train.batch_size"));
}

TEST_CASE("a data set that does not fit is named", "[train]") {
    Fixture fixture(1);
    // Refused before the first byte is read.
    const auto bytes = static_cast<size_t>(too_much() / fixture.data.record_bytes() * fixture.data.record_bytes());
    CHECK_THROWS_WITH(fixture.test_batches({fixture.records.data(), bytes}, fixture.mean),
                      StartsWith("out of memory for the data set on the device: cannot allocate ") &&
                          !ContainsSubstring("train.batch_size"));
}

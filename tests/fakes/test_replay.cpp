// A replayed training step is one graph launch, without memory allocation or copies.
#include "tests/catch.h"
#include "tests/emulator/memory.h"
#include "tests/emulator/stream.h"
#include "tests/support/training.h"

using namespace residual;

namespace {

// The first two steps settle addresses and algorithms; the third is recorded.
constexpr int kStepsBeforeReplays = 3;

}  // namespace

TEST_CASE("a replayed step is one graph launch that allocates no memory and copies nothing") {
    for (const auto& config : {test::kPreact, test::kPlain, test::kPostact}) {
        for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
            INFO(name_of(dtype));
            test::Training training(config, dtype, {}, 2);
            emulator::reset_counts();
            training.trainer().update();
            CHECK(emulator::counts().graph_launches == 0);
            for (int step = 1; step < kStepsBeforeReplays; ++step) training.trainer().update();
            const size_t bytes = emulator::Memory::instance().bytes_in_use();
            const size_t tensors = training.backend().arena().bytes_in_use();
            emulator::reset_counts();
            training.trainer().update();
            const int64_t operations = emulator::counts().total();
            CHECK(emulator::counts().graph_launches == 1);
            CHECK(emulator::counts().memcpys == 0);
            CHECK(emulator::counts().library_calls > 0);
            CHECK(emulator::counts().kernels > 0);
            training.trainer().update();
            CHECK(emulator::counts().graph_launches == 2);
            CHECK(emulator::counts().total() == 2 * operations);
            CHECK(emulator::Memory::instance().bytes_in_use() == bytes);
            CHECK(training.backend().arena().bytes_in_use() == tensors);
        }
    }
}

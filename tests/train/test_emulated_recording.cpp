// A training step that cannot be recorded, and a device that is lost, as the emulated runtime imitates them.
#include "engine/train/recorder.h"
#include "kernels/exec.h"
#include "tests/emulator/stream.h"
#include "tests/support/environment.h"
#include "tests/support/training.h"

using namespace residual;

namespace {

constexpr int kSteps = 5;

}  // namespace

TEST_CASE("a step that cannot be recorded runs eagerly with the same results") {
    for (const std::string failure : {"cudaStreamEndCapture=901", "cudaGraphInstantiate=2"}) {
        INFO(failure);
        const test::Environment failing("EMULATOR_FAILURES", failure);
        test::Training eager(test::kPreact, DType::kFloat32, {}, 2), recorded(test::kPreact, DType::kFloat32, {}, 2);
        emulator::reset_counts();
        for (int step = 0; step < kSteps; ++step) {
            CHECK(recorded.trainer().recording_failure().empty() == (step <= 2));
            eager.trainer().update_eagerly();
            recorded.trainer().update();
            CHECK((recorded.state() == eager.state()));
        }
        CHECK(emulator::counts().graph_launches == 0);
        CHECK_THAT(recorded.trainer().recording_failure(),
                   ContainsSubstring(failure.substr(0, failure.find('=')) + " failed: "));
        CHECK(recorded.trainer().take_averages().cross_entropy == eager.trainer().take_averages().cross_entropy);
    }
}

TEST_CASE("a recorder announces the first step, the recording and the replays") {
    using Next = Recorder::Next;
    const auto gpu = make_cuda_backend({});
    Recorder recorder(*gpu, [] {}), failing(*gpu, [] {});
    for (const Next expected : {Next::first_step, Next::eager_step, Next::recording, Next::replay, Next::replay}) {
        CHECK(recorder.next() == expected);
        recorder.run();
    }
    for (int step = 0; step < 2; ++step) failing.run();
    const test::Environment failure("EMULATOR_FAILURES", "cudaGraphInstantiate=2");
    CHECK(failing.next() == Next::recording);
    failing.run();
    CHECK(failing.next() == Next::eager_step);
    const auto cpu = make_cpu_backend();
    Recorder eager(*cpu, [] {});
    CHECK(eager.next() == Next::eager_step);
}

TEST_CASE("a kernel that cannot be launched while a step is recorded is launched eagerly") {
    const auto gpu = make_cuda_backend({});
    int steps = 0;
    Recorder recorder(*gpu, [&] {
        if (++steps == 3) throw kernels::LaunchError("not while capturing");
    });
    for (int step = 0; step < 4; ++step) recorder.run();
    CHECK(recorder.failure() == "not while capturing");
    CHECK(steps == 5);
}

TEST_CASE("a device that is lost while a step is recorded is an error") {
    test::Training training(test::kPreact, DType::kFloat32, {}, 2);
    for (int step = 0; step < 2; ++step) training.trainer().update();
    const test::Environment failing("EMULATOR_FAILURES", "cudaStreamEndCapture=700");
    CHECK_THROWS_WITH(training.trainer().update(), ContainsSubstring("cudaErrorIllegalAddress"));
    CHECK(training.trainer().step() == 2);
}

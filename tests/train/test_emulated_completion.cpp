// The number of updates that the device has completed while the host has queued more.
#include <thread>

#include "tests/emulator/stream.h"
#include "tests/support/training.h"

using namespace residual;

namespace {

// While it exists, the emulated device completes nothing unless the host waits for it.
class BusyDevice {
  public:
    BusyDevice() { emulator::hold_events(true); }
    ~BusyDevice() { emulator::hold_events(false); }
};

int64_t completed_in_another_thread(Trainer& trainer) {
    int64_t completed = 0;
    std::thread([&] { completed = trainer.completed(); }).join();
    return completed;
}

}  // namespace

TEST_CASE("updates count as completed once the device has done them, eager and replayed") {
    test::Training training(test::kPreact, DType::kFloat32, {}, 2);
    Trainer& trainer = training.trainer();
    CHECK(trainer.completed() == 0);
    // Eager, then recorded and replayed.
    for (const int64_t done : {1, 4}) {
        while (trainer.step() < done) trainer.update();
        CHECK(completed_in_another_thread(trainer) == done);
    }
    const BusyDevice busy;
    emulator::reset_counts();
    for (int update = 0; update < 3; ++update) trainer.update();
    CHECK(emulator::counts().graph_launches == 3);
    CHECK(trainer.step() == 7);
    CHECK(completed_in_another_thread(trainer) == 4);
    CHECK(trainer.completed() == 4);
    training.backend().synchronize();
    CHECK(completed_in_another_thread(trainer) == 7);
    trainer.restore(2, {});
    training.backend().synchronize();
    CHECK(trainer.completed() == 2);
}

TEST_CASE("a count that is never read does not grow without bound, and is right in the end") {
    const auto gpu = make_cuda_backend({});
    const auto counter = gpu->make_progress_counter();
    for (int64_t count = 1; count <= 5000; ++count) counter->advance(count);
    CHECK(counter->completed() == 5000);
    const BusyDevice busy;
    for (int64_t count = 5001; count <= 8000; ++count) counter->advance(count);
    CHECK(counter->completed() == 5000);
    gpu->synchronize();
    CHECK(counter->completed() > 5000);
    counter->advance(8001);
    gpu->synchronize();
    CHECK(counter->completed() == 8001);
}

#include "engine/train/recorder.h"

#include <stdexcept>

#include "engine/backend/arena_scope.h"

namespace residual {

namespace {

// The first step fills an empty arena; from the second on, addresses stay the same.
constexpr int kEagerSteps = 2;

}  // namespace

Recorder::Recorder(Backend& backend, std::function<void()> step)
    : backend_(backend), step_(std::move(step)), arena_(backend.can_record() ? backend.new_arena() : nullptr) {}

void Recorder::run_eagerly() {
    if (!arena_) {
        step_();
        return;
    }
    const ArenaScope scope(backend_, arena_);
    step_();
    ++eager_steps_;
}

void Recorder::record() {
    const ArenaScope scope(backend_, arena_);
    try {
        recording_ = backend_.record(step_);
    } catch (const std::runtime_error& error) {  // Error, or LaunchError of a kernel
        backend_.synchronize();                  // Fails if the device is lost: then eager steps would fail, too.
        failure_ = error.what();
    }
}

Recorder::Next Recorder::next() const {
    if (recording_) return Next::replay;
    if (!arena_ || !failure_.empty()) return Next::eager_step;
    if (eager_steps_ == 0) return Next::first_step;
    return eager_steps_ < kEagerSteps ? Next::eager_step : Next::recording;
}

void Recorder::run() {
    if (next() == Next::recording) record();
    if (recording_) {
        recording_->replay();
    } else {
        run_eagerly();
    }
}

}  // namespace residual

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

void Recorder::run() {
    if (arena_ && !recording_ && failure_.empty() && eager_steps_ >= kEagerSteps) record();
    if (recording_) {
        recording_->replay();
    } else {
        run_eagerly();
    }
}

}  // namespace residual

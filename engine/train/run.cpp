#include "engine/train/run.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "engine/io/checkpoint.h"

namespace engine {

namespace {

using Clock = std::chrono::steady_clock;

// Time spent on training itself: stopped while the run evaluates and saves.
class Stopwatch {
  public:
    void pause() { elapsed_ += Clock::now() - started_; }
    void resume() { started_ = Clock::now(); }
    // Seconds while running since the last call.
    double lap() {
        pause();
        const double seconds = std::chrono::duration<double>(elapsed_).count();
        elapsed_ = {};
        resume();
        return seconds;
    }

  private:
    Clock::time_point started_ = Clock::now();
    Clock::duration elapsed_{};
};

class Run {
  public:
    Run(RunInputs& inputs, RunFolder& folder, Progress& progress)
        : inputs_(inputs), folder_(folder), progress_(progress) {}

    // Nothing to log: nothing is written.
    void log_training() {
        const int64_t step = inputs_.trainer.step();
        if (step == last_logged_) return;
        const Averages averages = inputs_.trainer.take_averages();
        const int64_t images = (step - last_logged_) * inputs_.trainer.batch_size();
        const TrainingRow row{step,
                              averages.cross_entropy + averages.weight_penalty,
                              averages.cross_entropy,
                              averages.accuracy,
                              inputs_.trainer.last_learning_rate(),
                              static_cast<double>(images) / watch_.lap()};
        check_finite(row.train_loss, "training loss");
        last_logged_ = step;
        folder_.write(row);
        progress_.show(row);
    }

    void evaluate() {
        watch_.pause();
        const Evaluation result = engine::evaluate(inputs_.backend, inputs_.model, inputs_.test);
        const EvaluationRow row{inputs_.trainer.step(), result.loss, result.accuracy};
        check_finite(row.test_loss, "test loss");
        folder_.write(row);
        progress_.show(row);
        if (result.accuracy > best_accuracy_) {
            best_accuracy_ = result.accuracy;
            save(folder_.best_path());
        }
        watch_.resume();
    }

    // What diverged is not saved.
    void checkpoint(int64_t keep) {
        const int64_t step = inputs_.trainer.step();
        if (step == last_saved_) return;
        watch_.pause();
        check_finite(inputs_.trainer.peek_averages().cross_entropy, "training loss");
        save(folder_.checkpoint_path(step));
        folder_.prune(keep);
        last_saved_ = step;
        watch_.resume();
    }

  private:
    void check_finite(double loss, const char* name) const {
        if (std::isfinite(loss)) return;
        throw DivergedError(
            fmt::format("the {} is {} between the steps {} and {}: training diverged; choose a lower "
                        "learning rate (schedule.values) or a warm-up",
                        name, loss, last_logged_, inputs_.trainer.step()));
    }

    void save(const std::filesystem::path& path) {
        save_checkpoint(path, inputs_.backend, inputs_.parameters, inputs_.mean,
                        {inputs_.config, inputs_.trainer.step(), inputs_.data_fingerprint});
    }

    RunInputs& inputs_;
    RunFolder& folder_;
    Progress& progress_;
    Stopwatch watch_;
    int64_t last_logged_ = 0;
    int64_t last_saved_ = -1;
    double best_accuracy_ = -1;
};

}  // namespace

void train(RunInputs& inputs, int64_t steps, const RunConfig& config, RunFolder& folder, Progress& progress,
           const volatile std::sig_atomic_t& stop_signal) {
    Run run(inputs, folder, progress);
    while (inputs.trainer.step() < steps && stop_signal == 0) {
        inputs.trainer.update();
        const int64_t step = inputs.trainer.step();
        const auto due = [&](int64_t every) { return step % every == 0 || step == steps; };
        if (due(config.log_every)) run.log_training();
        if (due(config.eval_every)) run.evaluate();
        if (due(config.checkpoint_every)) run.checkpoint(config.keep);
    }
    if (stop_signal != 0) {
        run.log_training();
        run.checkpoint(config.keep);
    }
}

}  // namespace engine

#include "engine/train/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <vector>

#include "engine/metrics/classification.h"
#include "engine/train/checkpoint_writer.h"
#include "engine/train/tensorboard.h"

namespace residual {

namespace {

using Clock = std::chrono::steady_clock;

// Measures training time; paused during evaluation and saving.
class Stopwatch {
  public:
    void pause() { elapsed_ += Clock::now() - started_; }
    void resume() { started_ = Clock::now(); }
    // Seconds, without pauses, since the last call.
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
    Run(RunInputs& inputs, int64_t steps, const RunConfig& config, RunFolder& folder, Progress& progress,
        Signals& signals)
        : inputs_(inputs),
          steps_(steps),
          config_(config),
          folder_(folder),
          progress_(progress),
          signals_(signals),
          metrics_(folder.metrics_path(), last_row_kept(), inputs.rows.evaluation),
          tensorboard_(config.tensorboard ? std::make_unique<TensorBoard>(folder.path(), folder.metrics_path(),
                                                                          inputs.config, inputs.weight_decay)
                                          : nullptr),
          writer_(folder, metrics_, config.keep),
          rows_(inputs.rows),
          timed_from_(inputs.trainer.step()),
          saved_(inputs.saved.value_or(-1)),
          best_accuracy_(inputs.best_accuracy) {}

    void run() {
        for (;;) {
            finish_step();
            if (is_last_step()) break;
            announce_update();
            inputs_.trainer.update();
            warn_if_eager();
            accuracy_.reset();
        }
        finish_checkpoint();
    }

  private:
    int64_t step() const { return inputs_.trainer.step(); }
    bool done() const { return step() >= steps_; }
    bool is_last_step() const { return done() || signals_.stop != 0; }
    // If only the final evaluation is missing, the final training row is kept.
    int64_t last_row_kept() const { return done() ? step() : inputs_.rows.training; }
    bool due(int64_t every) const { return step() > 0 && step() % every == 0; }

    // Logs, evaluates and saves as due after the updates done so far. No training row before this process's first
    // update.
    void finish_step() {
        writer_.check();
        if (due(config_.checkpoint_every)) wait_for_checkpoint();
        if (step() != timed_from_ && due(config_.log_every)) {
            log_training(inputs_.trainer.take_averages());
            rows_.training = step();
        } else if (step() != timed_from_ && is_last_step()) {
            log_training(inputs_.trainer.peek_averages());
        }
        const bool evaluates = step() != rows_.evaluation && (due(config_.eval_every) || done());
        const bool best = evaluates && evaluate();
        // A signal may have arrived during the evaluation.
        if (step() != timed_from_ && is_last_step()) log_training(inputs_.trainer.peek_averages());
        const bool wanted = due(config_.checkpoint_every) || is_last_step() || signals_.save != 0;
        // The last checkpoint contains its test accuracy: if it was saved before its evaluation, it is saved again.
        const bool numbered = wanted && (step() != saved_ || (done() && accuracy_));
        if (best || numbered) save(best, numbered);
    }

    // The first step and the recording take much longer than the others.
    void announce_update() {
        switch (inputs_.trainer.next_update()) {
            case Recorder::Next::first_step:
                progress_.set_activity("first step: choosing plans");
                break;
            case Recorder::Next::recording:
                progress_.set_activity("recording the step");
                break;
            default:
                progress_.set_activity("");
        }
    }

    void warn(const std::string& warning) {
        const auto quiet = progress_.interrupt();
        inputs_.warn(warning);
    }

    void warn_if_eager() {
        const std::string& failure = inputs_.trainer.recording_failure();
        if (failure.empty() || warned_of_eager_) return;
        warn(
            fmt::format("the training step could not be recorded as a CUDA graph ({}); steps run eagerly, "
                        "slower but with the same results",
                        failure));
        warned_of_eager_ = true;
    }

    // A checkpoint is on the disk before the rows of the step at which the next one is due.
    void wait_for_checkpoint() {
        watch_.pause();
        finish_checkpoint();
        watch_.resume();
    }

    void finish_checkpoint() {
        progress_.set_activity("writing the checkpoint");
        writer_.finish();
    }

    void log_training(const Averages& averages) {
        const int64_t images = (step() - timed_from_) * inputs_.trainer.batch_size();
        const TrainingRow row{step(),
                              averages.cross_entropy + averages.weight_penalty,
                              averages.cross_entropy,
                              averages.accuracy,
                              inputs_.trainer.last_learning_rate(),
                              static_cast<double>(images) / watch_.lap()};
        check_finite(averages);
        timed_from_ = step();
        write(row);
    }

    template <class Row>
    void write(const Row& row) {
        metrics_.write(row);
        if (metrics_.replaced() && !warned_of_rows_) {
            warn(fmt::format("{} was removed or replaced during the run: rows before step {} may no longer be in it",
                             folder_.metrics_path().string(), row.step));
            warned_of_rows_ = true;
        }
        progress_.show(row);
        if (!tensorboard_) return;
        tensorboard_->write(row);
        warn_if_events_wait();
    }

    // The run is complete without it: nothing here may end the run before its last checkpoint.
    void show_confusion(std::span<const float> logits) {
        try {
            const ConfusionMatrix matrix(inputs_.data.classes(), predictions_of(logits, inputs_.test_labels));
            tensorboard_->write(step(), matrix, inputs_.data.class_names);
        } catch (const std::exception& error) {
            warn(fmt::format("TensorBoard gets no confusion matrix: {}", error.what()));
        }
        warn_if_events_wait();
    }

    void warn_if_events_wait() {
        if (tensorboard_->failure().empty() || warned_of_events_) return;
        warn(fmt::format("{}; the run continues without TensorBoard until it can be written", tensorboard_->failure()));
        warned_of_events_ = true;
    }

    // Whether the weights are the best so far. Returns false and writes no row if a signal interrupts the evaluation; a
    // resumed run repeats it.
    bool evaluate() {
        watch_.pause();
        const auto show_images = [this](int64_t images) {
            progress_.set_activity(fmt::format("evaluating {} %", 100 * images / inputs_.test.samples()));
        };
        std::vector<float> logits;
        const bool shows_classes = done() && tensorboard_ && !inputs_.test_labels.empty();
        const auto result = evaluate_unless(signals_.stop, inputs_.backend, inputs_.model, inputs_.test,
                                            shows_classes ? &logits : nullptr, show_images);
        watch_.resume();
        if (!result) return false;
        if (!std::isfinite(result->loss)) diverged(step(), fmt::format("the test loss is {}", result->loss));
        const EvaluationRow row{step(), result->loss, result->accuracy};
        write(row);
        if (shows_classes) show_confusion(logits);
        if (due(config_.eval_every)) rows_.evaluation = step();
        accuracy_ = result->accuracy;
        if (result->accuracy <= best_accuracy_) return false;
        best_accuracy_ = result->accuracy;
        return true;
    }

    void save(bool best, bool numbered) {
        progress_.set_activity("writing the checkpoint");
        watch_.pause();
        if (numbered) signals_.save = 0;
        check_finite(inputs_.trainer.peek_averages());
        rows_.sums = inputs_.trainer.sums();
        Snapshot snapshot(inputs_.backend, inputs_.parameters, inputs_.data.mean, inputs_.data.image_shape(),
                          {inputs_.config, step(), inputs_.data.class_names, inputs_.data_fingerprint, accuracy_, rows_,
                           inputs_.environment});
        if (const std::string name = snapshot.first_not_finite(); !name.empty()) {
            diverged(step(), fmt::format("{} holds a value that is not finite", name));
        }
        metrics_.flush();
        writer_.write(std::move(snapshot), best, numbered);
        if (numbered) saved_ = step();
        watch_.resume();
    }

    void check_finite(const Averages& averages) {
        if (averages.diverged_at != 0) diverged(averages.diverged_at, "the loss or a new weight is not finite");
    }

    [[noreturn]] void diverged(int64_t step, const std::string& what) {
        try {
            writer_.finish();
        } catch (const Error&) {
            // The divergence is the error to report.
        }
        std::vector<StoredCheckpoint> saved = folder_.checkpoints();
        if (const auto best = step_in_file(folder_.best_path())) saved.push_back({*best, folder_.best_path()});
        const auto newest = std::ranges::max_element(saved, {}, &StoredCheckpoint::step);
        throw DivergedError(fmt::format(
            "training diverged at step {}: {}; choose a lower learning rate "
            "(schedule.values) or a warm-up. {}",
            step, what,
            saved.empty() ? "No checkpoint has been written" : "The last checkpoint is " + newest->path.string()));
    }

    RunInputs& inputs_;
    int64_t steps_;
    const RunConfig& config_;
    RunFolder& folder_;
    Progress& progress_;
    Signals& signals_;
    MetricsFile metrics_;
    std::unique_ptr<TensorBoard> tensorboard_;  // Null if the configuration turns it off.
    CheckpointWriter writer_;
    Stopwatch watch_;
    RowProgress rows_;
    int64_t timed_from_;              // The step at which the interval of the next training row began.
    int64_t saved_;                   // The step of the last checkpoint; -1: none.
    std::optional<double> accuracy_;  // Test accuracy of the current weights, once evaluated.
    double best_accuracy_;
    bool warned_of_rows_ = false;
    bool warned_of_eager_ = false;
    bool warned_of_events_ = false;
};

}  // namespace

void train(RunInputs& inputs, int64_t steps, const RunConfig& config, RunFolder& folder, Progress& progress,
           Signals& signals) {
    const Progress::Live live(progress, [&inputs] { return inputs.trainer.completed(); });
    Run(inputs, steps, config, folder, progress, signals).run();
}

}  // namespace residual

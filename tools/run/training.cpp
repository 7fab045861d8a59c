#include "tools/run/training.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "engine/io/snapshot.h"
#include "engine/train/metrics_file.h"
#include "engine/train/room.h"
#include "tools/run/compatibility.h"
#include "tools/run/session.h"

namespace residual::tools {
namespace {

// The checkpoints of the run being resumed, or the file given with --init.
struct Start {
    std::optional<Checkpoint> resumed, init;
    double best_accuracy = -1;  // Of best.safetensors; -1 without one.

    // Source of weights and per-pixel mean; empty for a new run.
    const std::optional<Checkpoint>& file() const { return resumed ? resumed : init; }
    std::vector<float> mean(const DataDescription& description, const DataSet& data) const {
        const auto stored = file() ? file()->mean(description.image_shape()) : std::nullopt;
        return stored ? *stored : pixel_mean(description, data.train);
    }
};

// The interval between the checkpoints of the run in `folder`, which `experiment` may change; that of `experiment` if
// the folder has no readable config.json.
int64_t checkpoint_interval(const RunFolder& folder, const Experiment& experiment) {
    try {
        return load_experiment((folder.path() / RunFolder::kConfig).string(), {}).run.checkpoint_every;
    } catch (const InputError&) {
        return experiment.run.checkpoint_every;
    }
}

Start start_of(const StartOptions& options, const Experiment& experiment, RunFolder* folder, const Warn& warn) {
    Start start;
    if (folder) {
        start.resumed = newest_good_checkpoint(*folder, warn);
        if (!start.resumed) refuse_lost_checkpoints(*folder, checkpoint_interval(*folder, experiment));
        const bool from_best = start.resumed && start.resumed->path() == folder->best_path();
        const std::optional<Checkpoint> other = from_best ? std::nullopt : best_checkpoint(*folder, warn);
        for (const std::optional<Checkpoint>* checkpoint : {&std::as_const(start.resumed), &other}) {
            if (*checkpoint) refuse_other_run(**checkpoint, experiment);
        }
        if (const auto& best = from_best ? start.resumed : other) {
            start.best_accuracy = best->info()->test_accuracy.value_or(-1);
        }
    } else if (!options.init.empty()) {
        start.init = Checkpoint::read(options.init);
        if (start.init->info()) refuse_other_model(*start.init, experiment);
    }
    return start;
}

void finish_resumed(RunFolder& folder, const Checkpoint& resumed, std::optional<int64_t> keep) {
    const int64_t step = resumed.info()->step;
    folder.keep_resumed(resumed.path(), step);
    folder.finish_checkpoint(step, keep);
}

}  // namespace

int run_training(const Experiment& experiment, const StartOptions& options, const LoadData& load, const Warn& warn,
                 Signals& signals) {
    const std::filesystem::path run_dir = *experiment.run.dir;
    const int64_t steps = experiment.train.steps;
    Progress progress(steps, static_cast<int>(experiment.train.batch_size));

    // Checkpoints are checked before anything is started. The folder of a new run is created only once all inputs are
    // loaded.
    std::optional<RunFolder> folder;
    if (!options.resume) {
        RunFolder::refuse_run(run_dir);
    } else if (std::filesystem::exists(run_dir)) {
        folder.emplace(run_dir);
    }
    const Start start = start_of(options, experiment, folder ? &*folder : nullptr, warn);
    const CheckpointInfo* resumed = start.resumed ? &*start.resumed->info() : nullptr;
    if (resumed && is_finished(*resumed, steps)) {
        // The process that wrote it may have been killed before it did this.
        finish_resumed(*folder, *start.resumed, experiment.run.keep);
        progress.print_line(fmt::format("nothing to do: {} has {} steps, {} were requested",
                                        folder->checkpoint_path(resumed->step).string(), resumed->step, steps));
        return 0;
    }

    Session session(experiment, [&](const PlanChoice& choice) {
        const auto quiet = progress.interrupt();
        if (options.log) options.log(choice);
    });
    if (start.file()) start.file()->load_into(*session.backend, session.parameters);
    if (start.resumed) start.resumed->load_momenta_into(*session.backend, session.parameters);
    Images images = load();
    DataSet& data = images.data;
    const uint32_t fingerprint = data.fingerprint;
    if (resumed) refuse_other_data(*start.resumed, session.data, fingerprint, images.folder);
    const Tensor mean = session.set_mean(start.mean(session.data, data));
    Trainer trainer = session.trainer(data.train, mean);
    Batches test = session.test_batches(data.test, mean);
    const std::vector<int64_t> test_labels = labels_of(session.data, data.test);
    data = DataSet();  // The device has its own copy now.
    if (resumed) trainer.restore(resumed->step, resumed->rows.sums);

    if (signals.stop != 0) return signals.stop;
    if (!folder) {
        folder.emplace(run_dir);
        // Another process may have started a run since the first check.
        RunFolder::refuse_run(run_dir);
    }
    if (resumed) {
        finish_resumed(*folder, *start.resumed, experiment.run.keep);
        if (!has_rows(folder->metrics_path(), resumed->rows)) {
            warn(folder->metrics_path().string() + ": rows up to step " + std::to_string(resumed->step) +
                 " are missing; the run continues without them");
        }
    }
    for (const std::string& warning :
         {folder->missing_protection(),
          too_little_room(*folder, {.bytes = checkpoint_bytes(session.parameters, session.data.image_shape()),
                                   .step = trainer.step(),
                                   .steps = steps,
                                   .config = experiment.run})}) {
        if (!warning.empty()) warn(warning);
    }
    const std::string config = to_json(experiment);
    folder->write_config(config);
    RunInputs inputs{.backend = *session.backend,
                     .model = *session.model,
                     .parameters = session.parameters,
                     .trainer = trainer,
                     .test = test,
                     .data = session.data,
                     .data_fingerprint = fingerprint,
                     .test_labels = test_labels,
                     .config = config,
                     .environment = session.environment(),
                     .weight_decay = experiment.optimizer.weight_decay,
                     .rows = resumed ? resumed->rows : RowProgress{},
                     .best_accuracy = start.best_accuracy,
                     .saved = resumed ? std::optional(resumed->step) : std::nullopt,
                     .warn = warn};

    progress.print_line(session.description());
    progress.print_line(fmt::format("data {}; {} steps of {} images; results in {}", images.folder, steps,
                                    trainer.batch_size(), folder->path().string()));
    if (resumed) {
        progress.print_line(fmt::format("resuming from step {}: {}", resumed->step, start.resumed->path().string()));
    } else if (options.resume) {
        progress.print_line("no checkpoint to resume from: starting at step 0");
    }

    train(inputs, steps, experiment.run, *folder, progress, signals);

    const int stop = signals.stop;
    progress.print_line(fmt::format("{} after {} steps; checkpoint {}", stop != 0 ? "stopped" : "done", trainer.step(),
                                    folder->checkpoint_path(trainer.step()).string()));
    if (stop != 0) progress.print_line("to resume, run the same command with --resume");
    return stop;
}

}  // namespace residual::tools

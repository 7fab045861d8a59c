#include "tools/run/training.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "tools/run/compatibility.h"
#include "tools/run/session.h"

namespace residual::tools {
namespace {

// The checkpoint to start from: the run's own (and its best so far), or one from elsewhere with --init.
struct Start {
    std::optional<Checkpoint> resumed, best, init;

    // Where weights and the per-pixel mean come from; empty for a new run.
    const std::optional<Checkpoint>& file() const { return resumed ? resumed : init; }
    std::vector<float> mean(const DataDescription& description, const DataSet& data) const {
        const auto stored = file() ? file()->mean(description.image_shape()) : std::nullopt;
        return stored ? *stored : pixel_mean(description, data.train);
    }
    double best_accuracy() const { return best ? best->info()->test_accuracy.value_or(-1) : -1; }
    // Of the run's own checkpoint; null for a new run.
    const CheckpointInfo* info() const { return resumed ? &*resumed->info() : nullptr; }
};

Start start_of(const StartOptions& options, const Experiment& experiment, RunFolder* folder, const Warn& warn) {
    Start start;
    if (folder) {
        start.resumed = newest_good_checkpoint(*folder, warn);
        start.best = best_checkpoint(*folder, warn);
        for (const auto& own : {&start.resumed, &start.best}) {
            if (*own) refuse_other_run(**own, experiment);
        }
    } else if (!options.init.empty()) {
        start.init = Checkpoint::read(options.init);
        if (start.init->info()) refuse_other_model(*start.init, experiment);
    }
    return start;
}

void load_weights(const Start& start, Session& session) {
    if (start.file()) start.file()->load_into(*session.backend, session.parameters);
    if (start.resumed) start.resumed->load_momenta_into(*session.backend, session.parameters);
}

}  // namespace

int run_training(const Experiment& experiment, const StartOptions& options, const LoadData& load, const Warn& warn,
                 Signals& signals) {
    const std::filesystem::path run_dir = *experiment.run.dir;
    const int64_t steps = experiment.train.steps;

    // A run to go on with is read before anything is started; a new one leaves no folder before everything stands.
    std::optional<RunFolder> folder;
    if (options.resume && std::filesystem::exists(run_dir)) folder.emplace(run_dir);
    const Start start = start_of(options, experiment, folder ? &*folder : nullptr, warn);
    const CheckpointInfo* resumed = start.info();
    if (resumed && is_finished(*resumed, steps)) {
        // The process that finished it may have been killed before it came to this.
        folder->settle(resumed->step, experiment.run.keep);
        Progress(steps, 1).say(fmt::format("nothing to do: {} has {} steps, and {} are asked for",
                                           start.resumed->path().string(), resumed->step, steps));
        return 0;
    }

    Session session(experiment);
    load_weights(start, session);
    Images images = load();
    DataSet& data = images.data;
    const uint32_t fingerprint = data.fingerprint;
    if (resumed) refuse_other_data(*start.resumed, session.data, fingerprint, images.place);
    const Tensor mean = session.set_mean(start.mean(session.data, data));
    Trainer trainer = session.trainer(data.train, mean);
    Batches test = session.test_batches(data.test, mean);
    data = DataSet();  // The device has its own copy now.
    if (resumed) trainer.restore(resumed->step, resumed->rows.sums);

    // Nothing was trained yet that could be saved.
    if (signals.stop != 0) return signals.stop;
    if (!folder) {
        folder.emplace(run_dir);
        // Another process may have begun one in the meantime.
        folder->refuse_run();
    }
    if (resumed) folder->settle(resumed->step, experiment.run.keep);
    const std::string config = to_json(experiment);
    folder->write_config(config);
    RunInputs inputs{.backend = *session.backend,
                     .model = *session.model,
                     .parameters = session.parameters,
                     .trainer = trainer,
                     .test = test,
                     .data = session.data,
                     .data_fingerprint = fingerprint,
                     .config = config,
                     .rows = resumed ? resumed->rows : RowProgress{},
                     .best_accuracy = start.best_accuracy(),
                     .saved = resumed ? std::optional(resumed->step) : std::nullopt};

    Progress progress(steps, trainer.batch_size());
    progress.say(session.description());
    progress.say(fmt::format("data {}; {} steps of {} images; results in {}", images.place, steps, trainer.batch_size(),
                             folder->path().string()));
    if (resumed) {
        progress.say(fmt::format("going on from step {}: {}", resumed->step, start.resumed->path().string()));
    } else if (options.resume) {
        progress.say("no checkpoint to go on from: starting at step 0");
    }

    train(inputs, steps, experiment.run, *folder, progress, signals);

    const int stop = signals.stop;
    progress.say(fmt::format("{} after {} steps; checkpoint {}", stop != 0 ? "stopped" : "done", trainer.step(),
                             folder->checkpoint_path(trainer.step()).string()));
    if (stop != 0) progress.say("to go on: the same command with --resume");
    return stop;
}

}  // namespace residual::tools

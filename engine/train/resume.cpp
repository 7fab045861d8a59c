#include "engine/train/resume.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "engine/train/metrics_file.h"

namespace residual {

namespace {

[[noreturn]] void refuse_foreign(const std::filesystem::path& path) {
    throw InputError(fmt::format(
        "{}: not written by a run, but this run would overwrite it; move the file elsewhere, and give it to "
        "--init to start from its weights",
        path.string()));
}

// The step of best.safetensors or last.safetensors; `unreadable` if its header cannot be read.
int64_t step_of(const std::filesystem::path& path, int64_t unreadable) {
    std::optional<int64_t> step;
    try {
        step = read_checkpoint_step(path);
    } catch (const FormatVersionError&) {
        throw;
    } catch (const InputError&) {
        return unreadable;
    }
    if (!step) refuse_foreign(path);
    return *step;
}

// Newest first; of the same step, the numbered checkpoint first.
std::vector<StoredCheckpoint> candidates_in(const RunFolder& folder) {
    std::vector<StoredCheckpoint> found = folder.checkpoints();
    // Usually a link to a numbered checkpoint. A damaged file is tried first, so that there is a warning about it.
    if (std::filesystem::is_regular_file(std::filesystem::symlink_status(folder.last_path()))) {
        found.push_back({step_of(folder.last_path(), std::numeric_limits<int64_t>::max()), folder.last_path()});
    }
    // best_checkpoint() warns about a damaged one.
    if (std::filesystem::exists(folder.best_path())) {
        found.push_back({step_of(folder.best_path(), -1), folder.best_path()});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const StoredCheckpoint& a, const StoredCheckpoint& b) { return a.step > b.step; });
    return found;
}

// Resuming from the wrong step would later replace another checkpoint.
void refuse_wrong_name(const RunFolder& folder, const StoredCheckpoint& named, int64_t step) {
    if (named.step == step) return;
    throw InputError(fmt::format("{}: the checkpoint is of step {}, not of the step in its name; rename it to {}",
                                 named.path.string(), step, folder.checkpoint_path(step).filename().string()));
}

}  // namespace

std::optional<Checkpoint> newest_good_checkpoint(RunFolder& folder, const Warn& warn) {
    std::vector<std::string> refused;
    for (const StoredCheckpoint& candidate : candidates_in(folder)) {
        std::optional<Checkpoint> checkpoint;
        try {
            checkpoint = Checkpoint::read(candidate.path);
        } catch (const FormatVersionError&) {
            throw;
        } catch (const InputError& error) {
            refused.emplace_back(error.what());
            folder.mark_damaged(candidate.step);
            continue;
        }
        if (!checkpoint->info()) refuse_foreign(candidate.path);
        refuse_wrong_name(folder, candidate, checkpoint->info()->step);
        for (const std::string& reason : refused) {
            warn(fmt::format("{}; resuming from {} instead", reason, candidate.path.string()));
        }
        return checkpoint;
    }
    if (refused.empty()) return std::nullopt;
    throw RunFolderError(RunFolderError::Problem::nothing_readable,
                         fmt::format("{}: none of the {} checkpoint(s) can be read, so the run cannot be resumed: {}",
                                     folder.path().string(), refused.size(), fmt::join(refused, "; ")));
}

void refuse_lost_checkpoints(const RunFolder& folder, int64_t checkpoint_every) {
    if (const auto renamed = renamed_checkpoints(folder.path()); !renamed.empty()) {
        const auto& [step, path] = renamed.front();
        throw InputError(
            fmt::format("{}: a checkpoint of step {} under another name; to resume from it, rename it to {}; to start "
                        "at step 0, choose another folder with --out",
                        path.string(), step, folder.checkpoint_path(step).filename().string()));
    }
    const auto refuse = [&](const std::string& what) {
        throw RunFolderError(RunFolderError::Problem::nothing_readable,
                             fmt::format("{}; the run cannot be resumed without its checkpoints", what));
    };
    for (const auto& link : {folder.last_path(), folder.best_path()}) {
        if (std::filesystem::exists(std::filesystem::symlink_status(link))) {
            refuse(link.string() + ": the checkpoint that it points to is not in this folder");
        }
    }
    if (const int64_t step = last_row(folder.metrics_path()); step / 2 >= checkpoint_every) {
        refuse(
            fmt::format("{}: rows up to step {}, but no checkpoint is there, although one was written every {} steps",
                        folder.metrics_path().string(), step, checkpoint_every));
    }
}

bool is_finished(const CheckpointInfo& info, int64_t steps) {
    return info.step > steps || (info.step == steps && info.test_accuracy);
}

std::optional<Checkpoint> best_checkpoint(const RunFolder& folder, const Warn& warn) {
    if (!std::filesystem::exists(folder.best_path())) return std::nullopt;
    std::optional<Checkpoint> best;
    try {
        best = Checkpoint::read(folder.best_path());
    } catch (const FormatVersionError&) {
        throw;
    } catch (const InputError& error) {
        warn(fmt::format("{}; the next evaluation replaces it", error.what()));
        return std::nullopt;
    }
    if (!best->info()) refuse_foreign(folder.best_path());
    return best;
}

}  // namespace residual

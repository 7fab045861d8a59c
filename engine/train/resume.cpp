#include "engine/train/resume.h"

#include <fmt/format.h>

namespace residual {

namespace {

Checkpoint read_with_info(const std::filesystem::path& path) {
    Checkpoint checkpoint = Checkpoint::read(path);
    if (!checkpoint.info()) {
        throw InputError(fmt::format("{}: not a checkpoint of a run: the metadata is missing", path.string()));
    }
    return checkpoint;
}

}  // namespace

std::optional<Checkpoint> newest_good_checkpoint(RunFolder& folder, const Warn& warn) {
    std::vector<std::string> refused;
    for (const RunFolder::Numbered& candidate : folder.checkpoints()) {
        try {
            Checkpoint checkpoint = read_with_info(candidate.path);
            for (const std::string& reason : refused) {
                warn(fmt::format("{}; resuming from {} instead", reason, candidate.path.string()));
            }
            return checkpoint;
        } catch (const FormatVersionError&) {
            throw;
        } catch (const InputError& error) {
            refused.emplace_back(error.what());
            folder.mark_damaged(candidate.step);
        }
    }
    if (refused.empty()) return std::nullopt;
    throw RunFolderError(RunFolderError::Problem::nothing_readable,
                         fmt::format("{}: none of the {} checkpoint(s) can be read, so the run cannot be resumed: {}",
                                     folder.path().string(), refused.size(), fmt::join(refused, "; ")));
}

bool is_finished(const CheckpointInfo& info, int64_t steps) {
    return info.step > steps || (info.step == steps && info.test_accuracy);
}

std::optional<Checkpoint> best_checkpoint(const RunFolder& folder, const Warn& warn) {
    if (!std::filesystem::exists(folder.best_path())) return std::nullopt;
    try {
        return read_with_info(folder.best_path());
    } catch (const InputError& error) {
        warn(fmt::format("{}; the next evaluation replaces it", error.what()));
        return std::nullopt;
    }
}

}  // namespace residual

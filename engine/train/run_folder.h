// The run folder, which holds the results of a training run:
//
//     config.json                 every key with its value
//     metrics.jsonl               one JSON object per line
//     step-00064000.safetensors   the newest checkpoints, by updates done
//     last.safetensors            a link to the newest
//     best.safetensors            the checkpoint with the highest test accuracy so far
//     .lock                       locked while a process trains here
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/core/error.h"

namespace residual {

// A folder that cannot be used as requested. The caller appends the remedy, which depends on problem().
class RunFolderError : public InputError {
  public:
    enum class Problem { in_use, holds_run, nothing_readable };

    RunFolderError(Problem problem, const std::string& message) : InputError(message), problem_(problem) {}
    Problem problem() const { return problem_; }

  private:
    Problem problem_;
};

// Locks the file `.lock` of a folder. The system releases the lock when the process exits, however it exits. The file
// is never removed: another process could have opened it, and would lock the removed file while a third creates and
// locks a new one.
class FolderLock {
  public:
    // Throws RunFolderError if another process holds the lock, Error if the file cannot be opened or locked.
    explicit FolderLock(const std::filesystem::path& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

  private:
    int descriptor_;
};

class RunFolder {
  public:
    // Creates the folder if needed, locks it, and removes temporary files of killed processes. Throws RunFolderError if
    // another process is training there, InputError if `path` is a file, Error if the folder cannot be created.
    explicit RunFolder(std::filesystem::path path);

    // Whether the folder holds a row or a checkpoint, which a new run would overwrite.
    bool holds_run() const;
    // Throws RunFolderError if holds_run().
    void refuse_run() const;

    // Replaces config.json.
    void write_config(const std::string& config) const;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path metrics_path() const { return path_ / "metrics.jsonl"; }
    std::filesystem::path checkpoint_path(int64_t step) const;
    std::filesystem::path best_path() const { return path_ / "best.safetensors"; }
    std::filesystem::path last_path() const { return path_ / "last.safetensors"; }

    struct Numbered {
        int64_t step;
        std::filesystem::path path;
    };
    // The checkpoints, newest first. They are not opened.
    std::vector<Numbered> checkpoints() const;

    // Call this after writing the checkpoint of `step`. Makes last.safetensors point to it (a copy if the file system
    // has no symbolic links). Of the undamaged checkpoints up to `step`, keeps only the `keep` newest (empty: all);
    // removes nothing else. Throws Error on failure.
    void finish_checkpoint(int64_t step, std::optional<int64_t> keep);
    // The checkpoint of this step cannot be read: it does not count towards `keep` until it is written again.
    void mark_damaged(int64_t step) { damaged_.insert(step); }

  private:
    void remove_unfinished() const;
    void prune(int64_t step, int64_t keep) const;

    std::filesystem::path path_;
    FolderLock lock_;
    std::set<int64_t> damaged_;
};

}  // namespace residual

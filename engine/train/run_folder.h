// The run folder, which holds the results of a training run:
//
//     config.json                 every key with its value
//     metrics.jsonl               one JSON object per line
//     events.out.tfevents.*       the same and more for TensorBoard (engine/train/tensorboard.h)
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

#include "engine/train/folder_lock.h"
#include "engine/train/run_folder_error.h"
#include "engine/train/stored_checkpoints.h"

namespace residual {

class RunFolder {
  public:
    static constexpr const char* kConfig = "config.json";
    static constexpr const char* kMetrics = "metrics.jsonl";

    // Creates the folder if needed, locks it, and, once it is locked, removes temporary files of killed processes.
    // Throws RunFolderError if another process is training there, InputError if `path` is a file, Error if the folder
    // cannot be created.
    explicit RunFolder(std::filesystem::path path);

    // Whether a folder holds a row or a checkpoint, under any name, which a new run must not overwrite.
    static bool holds_run(const std::filesystem::path& folder);
    // Throws RunFolderError if holds_run().
    static void refuse_run(const std::filesystem::path& folder);

    // A warning that names what the file system does not implement, and what that means; empty if nothing is missing.
    std::string missing_protection() const;

    // Replaces config.json.
    void write_config(const std::string& config) const;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path metrics_path() const;
    std::filesystem::path checkpoint_path(int64_t step) const { return numbered_checkpoint(path_, step); }
    std::filesystem::path best_path() const { return path_ / kBestCheckpoint; }
    std::filesystem::path last_path() const { return path_ / kLastCheckpoint; }

    // The numbered checkpoints, newest first. They are not opened.
    std::vector<StoredCheckpoint> checkpoints() const { return numbered_checkpoints(path_); }

    // Call this before resuming from the checkpoint `from` of `step`. Stores it as the numbered checkpoint of its step
    // if it is best.safetensors (copied) or a last.safetensors that is a file (renamed). Such a file is also kept under
    // the name of its step if the run resumes from another checkpoint. Throws Error on failure.
    void keep_resumed(const std::filesystem::path& from, int64_t step) const;
    // Call this after writing the checkpoint of `step`. Makes last.safetensors point to it (a copy if the file system
    // has no symbolic links). Of the undamaged checkpoints up to `step`, keeps only the `keep` newest (empty: all);
    // removes nothing else. Throws Error on failure.
    void finish_checkpoint(int64_t step, std::optional<int64_t> keep);
    // The checkpoint of this step cannot be read: it does not count towards `keep` until it is written again.
    void mark_damaged(int64_t step) { damaged_.insert(step); }

  private:
    std::filesystem::path path_;
    FolderLock lock_;
    bool flushes_;
    std::set<int64_t> damaged_;
};

}  // namespace residual

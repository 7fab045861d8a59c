// The folder that a training run leaves behind.
//
//     config.json                 every key with its value
//     metrics.jsonl               one JSON object a line
//     step-00064000.safetensors   the newest checkpoints, by updates done
//     last.safetensors            a link to the newest
//     best.safetensors            the one with the highest test accuracy so far
//     .lock                       held by the process that trains; it ends with the process
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/train/folder_lock.h"

namespace residual {

class RunFolder {
  public:
    // Makes the folder if it is not there and takes it for this process: RunFolderError if another process trains
    // there, InputError if a file stands in its place, Error if it cannot be made. Removes what a process that died
    // left unfinished.
    explicit RunFolder(std::filesystem::path path);

    // Whether a run has left anything here that another one would spoil: a row or a checkpoint.
    bool holds_run() const;
    // RunFolderError if one has.
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
    // The checkpoints by step, the newest first. Whether they can be read is not known here.
    std::vector<Numbered> checkpoints() const;

    // To be called when the checkpoint of `step` stands: last.safetensors leads to it (or is a copy, where the file
    // system has no links), and of the checkpoints of steps up to `step` only the `keep` newest stay (none: all), and
    // those that are damaged. Nothing else is ever removed. Error where that fails.
    void settle(int64_t step, std::optional<int64_t> keep);
    // The checkpoint of this step could not be read: it counts for nothing until it is written again.
    void disregard(int64_t step) { damaged_.insert(step); }

  private:
    void remove_unfinished() const;
    void prune(int64_t step, int64_t keep) const;

    std::filesystem::path path_;
    FolderLock lock_;
    std::set<int64_t> damaged_;
};

}  // namespace residual

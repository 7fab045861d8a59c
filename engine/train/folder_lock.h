// One process to a folder.
#pragma once

#include <filesystem>

#include "engine/core/error.h"

namespace residual {

// A folder that cannot be used as it was asked for. Whoever runs the training knows what to do about it.
class RunFolderError : public InputError {
  public:
    enum class Problem { in_use, holds_run, nothing_readable };

    RunFolderError(Problem problem, const std::string& message) : InputError(message), problem_(problem) {}
    Problem problem() const { return problem_; }

  private:
    Problem problem_;
};

// Holds the file `.lock` of a folder. The system gives it back when the process ends, however it ends; the file stays,
// since a name that is removed while somebody waits for its lock would be locked twice.
class FolderLock {
  public:
    // RunFolderError if another process holds it, Error if the file cannot be opened or locked.
    explicit FolderLock(const std::filesystem::path& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

  private:
    int descriptor_;
};

}  // namespace residual

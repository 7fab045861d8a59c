// The lock of a run folder.
#pragma once

#include <filesystem>

namespace residual {

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

    // False if the file system has no locks: another process that uses the folder is not noticed.
    bool held() const { return held_; }
    // Whether the file system can flush files to the disk. Throws Error if flushing fails for another reason.
    bool can_flush() const;

  private:
    std::filesystem::path file_;
    int descriptor_;
    bool held_;
};

}  // namespace residual

// One process to a folder.
#pragma once

#include <filesystem>

namespace engine {

// Holds the file `.lock` of a folder. The system gives it back when the process ends, however it ends; the file stays,
// since a name that is removed while somebody waits for its lock would be locked twice.
class FolderLock {
  public:
    // InputError if another process holds it, Error if the file cannot be opened or locked.
    explicit FolderLock(const std::filesystem::path& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

  private:
    int descriptor_;
};

}  // namespace engine

#include "engine/train/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "engine/io/atomic_file.h"
#include "engine/train/run_folder_error.h"

namespace residual {

FolderLock::FolderLock(const std::filesystem::path& folder) : file_(folder / ".lock") {
    descriptor_ = open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_system_error("open", file_);
    held_ = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    // ENOLCK: a network file system without a lock server.
    if (held_ || errno == ENOLCK || is_unsupported(errno)) return;
    const int error = errno;
    close(descriptor_);
    if (error != EWOULDBLOCK) throw_system_error("lock", file_, error);
    throw RunFolderError(RunFolderError::Problem::in_use, folder.string() + ": another process is training there");
}

FolderLock::~FolderLock() {
    close(descriptor_);
}

bool FolderLock::can_flush() const {
    if (fsync(descriptor_) == 0) return true;
    if (!is_unsupported(errno)) throw_system_error("flush", file_);
    return false;
}

}  // namespace residual

#include "engine/train/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace residual {

FolderLock::FolderLock(const std::filesystem::path& folder) {
    const auto fail = [](const char* action, const std::filesystem::path& file) {
        throw Error(fmt::format("cannot {} {}: {}", action, file.string(), std::system_category().message(errno)));
    };
    const std::filesystem::path file = folder / ".lock";
    descriptor_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail("open", file);
    if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    const int reason = errno;
    close(descriptor_);
    errno = reason;
    if (reason != EWOULDBLOCK) fail("lock", file);
    throw RunFolderError(RunFolderError::Problem::in_use, folder.string() + ": another process trains there");
}

FolderLock::~FolderLock() {
    close(descriptor_);
}

}  // namespace residual

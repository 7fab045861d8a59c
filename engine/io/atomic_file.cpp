#include "engine/io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "engine/core/error.h"

namespace engine {

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
    for (int number = 0;; ++number) {
        temporary_ = path_;
        temporary_ += fmt::format(".tmp-{}-{}", getpid(), number);
        descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor_ >= 0) return;
        // A process that died may have had our number and left its file behind: take the next name.
        if (errno != EEXIST && errno != EINTR) fail("create");
    }
}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    ASSERT(descriptor_ >= 0);
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            fail("write");
        }
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
}

void AtomicFile::commit() {
    ASSERT(descriptor_ >= 0);
    if (fsync(descriptor_) != 0) fail("flush");
    if (close(std::exchange(descriptor_, -1)) != 0) fail("close");
    if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
    temporary_.clear();

    // The new name is safe from a power cut only once the folder itself is on the disk. Some file systems cannot flush
    // a folder and say EINVAL; the file is complete there all the same.
    const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) fail("open the folder of");
    const bool flushed = fsync(descriptor) == 0 || errno == EINVAL;
    const int reason = errno;
    close(descriptor);
    errno = reason;
    if (!flushed) fail("flush the folder of");
}

void AtomicFile::fail(const char* action) const {
    const std::string reason = std::system_category().message(errno);
    throw Error(fmt::format("cannot {} {}: {}", action, path_.string(), reason));
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    AtomicFile file(path);
    file.write(bytes);
    file.commit();
}

}  // namespace engine

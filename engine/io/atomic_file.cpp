#include "engine/io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "engine/core/error.h"

namespace residual {

namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr std::string_view kTemporaryMark = ".tmp-";

[[noreturn]] void fail_on(const char* action, const std::filesystem::path& path) {
    const std::string reason = std::system_category().message(errno);
    throw Error(fmt::format("cannot {} {}: {}", action, path.string(), reason));
}

// Calls make(name) with one temporary name after the other until it succeeds, and returns the name. A process that
// died may have had our number and left its file behind: then the next name is taken. Empty, and errno says why, where
// it cannot be made.
template <class Make>
std::filesystem::path make_temporary(const std::filesystem::path& path, Make make) {
    for (int number = 0;; ++number) {
        std::filesystem::path name = path;
        name += fmt::format("{}{}-{}", kTemporaryMark, getpid(), number);
        if (make(name.c_str())) return name;
        if (errno != EEXIST && errno != EINTR) return {};
    }
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : ".";
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
    temporary_ = make_temporary(path_, [&](const char* name) {
        descriptor_ = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        return descriptor_ >= 0;
    });
    if (descriptor_ < 0) fail("create");
}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    RESIDUAL_ASSERT(descriptor_ >= 0);
    if (buffer_.size() + bytes.size() > kBufferBytes) empty_buffer();
    if (bytes.size() >= kBufferBytes) {
        write_out(bytes);
    } else {
        buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    }
}

void AtomicFile::write_out(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            fail("write");
        }
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
}

void AtomicFile::empty_buffer() {
    write_out(buffer_);
    buffer_.clear();
}

void AtomicFile::commit() {
    RESIDUAL_ASSERT(descriptor_ >= 0);
    empty_buffer();
    if (fsync(descriptor_) != 0) fail("flush");
    if (close(std::exchange(descriptor_, -1)) != 0) fail("close");
    if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
    temporary_.clear();
    flush_folder(folder_of(path_));
}

void AtomicFile::fail(const char* action) const {
    fail_on(action, path_);
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    AtomicFile file(path);
    file.write(bytes);
    file.commit();
}

void copy_file_atomically(const std::filesystem::path& from, const std::filesystem::path& to) {
    AtomicFile copy(to);
    std::ifstream in(from, std::ios::binary);
    std::vector<char> piece(kBufferBytes);
    while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
        copy.write(std::as_bytes(std::span(piece).first(static_cast<size_t>(in.gcount()))));
    }
    if (!in.eof()) fail_on("read", from);
    copy.commit();
}

bool link_atomically(const std::filesystem::path& path, const std::filesystem::path& target) {
    const auto temporary = make_temporary(path, [&](const char* name) { return symlink(target.c_str(), name) == 0; });
    if (temporary.empty()) {
        if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) return false;
        fail_on("link", path);
    }
    if (rename(temporary.c_str(), path.c_str()) != 0) {
        const int reason = errno;
        unlink(temporary.c_str());
        errno = reason;
        fail_on("rename", path);
    }
    flush_folder(folder_of(path));
    return true;
}

bool is_temporary_name(std::string_view name, std::string_view final_name) {
    const auto take = [&](std::string_view text) {
        const bool there = name.starts_with(text);
        if (there) name.remove_prefix(text.size());
        return there;
    };
    const auto take_number = [&] {
        const size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
        name.remove_prefix(digits);
        return digits > 0;
    };
    return take(final_name) && take(kTemporaryMark) && take_number() && take("-") && take_number() && name.empty();
}

void flush_folder(const std::filesystem::path& folder) {
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) fail_on("open the folder", folder);
    // Some file systems cannot flush a folder and say EINVAL; its files are complete there all the same.
    const bool flushed = fsync(descriptor) == 0 || errno == EINVAL;
    const int reason = errno;
    close(descriptor);
    errno = reason;
    if (!flushed) fail_on("flush the folder", folder);
}

}  // namespace residual

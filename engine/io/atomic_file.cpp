#include "engine/io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

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

// Calls make(name) with numbered temporary names until one is free, and returns that name. A name can be taken by a
// killed process that had the same process id. Returns an empty path, with the reason in errno, on any other failure.
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
    if (descriptor_ < 0) throw_system_error("create", path_);
}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    RESIDUAL_ASSERT(descriptor_ >= 0);
    if (buffer_.size() + bytes.size() > kBufferBytes) flush_buffer();
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
            throw_system_error("write", path_);
        }
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
}

void AtomicFile::flush_buffer() {
    write_out(buffer_);
    buffer_.clear();
}

void AtomicFile::commit() {
    RESIDUAL_ASSERT(descriptor_ >= 0);
    flush_buffer();
    if (fsync(descriptor_) != 0 && !is_unsupported(errno)) throw_system_error("flush", path_);
    if (close(std::exchange(descriptor_, -1)) != 0) throw_system_error("close", path_);
    if (rename(temporary_.c_str(), path_.c_str()) != 0) throw_system_error("rename", path_);
    temporary_.clear();
    flush_folder(folder_of(path_));
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
    if (!in.eof()) throw_system_error("read", from);
    copy.commit();
}

bool link_atomically(const std::filesystem::path& path, const std::filesystem::path& target) {
    const auto temporary = make_temporary(path, [&](const char* name) { return symlink(target.c_str(), name) == 0; });
    if (temporary.empty()) {
        if (is_unsupported(errno) || errno == EPERM || errno == EACCES) return false;
        throw_system_error("link", path);
    }
    if (rename(temporary.c_str(), path.c_str()) != 0) {
        const int error = errno;
        unlink(temporary.c_str());
        throw_system_error("rename", path, error);
    }
    flush_folder(folder_of(path));
    return true;
}

std::string_view final_name_of(std::string_view name) {
    const auto is_number = [](std::string_view text) {
        return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    };
    const size_t mark = name.find(kTemporaryMark);
    if (mark == name.npos) return {};
    const std::string_view numbers = name.substr(mark + kTemporaryMark.size());
    const size_t dash = numbers.find('-');
    const bool temporary =
        dash != numbers.npos && is_number(numbers.substr(0, dash)) && is_number(numbers.substr(dash + 1));
    return temporary ? name.substr(0, mark) : std::string_view();
}

bool is_unsupported(int error) {
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

bool flush_folder(const std::filesystem::path& folder) {
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // A folder in which files can be created need not be readable.
    if (descriptor < 0 && (is_unsupported(errno) || errno == EACCES || errno == EPERM)) return false;
    if (descriptor < 0) throw_system_error("open the folder", folder);
    const bool flushed = fsync(descriptor) == 0;
    const int error = errno;
    close(descriptor);
    if (!flushed && !is_unsupported(error)) throw_system_error("flush the folder", folder, error);
    return flushed;
}

void throw_system_error(const char* action, const std::filesystem::path& path, int error) {
    const char* remedy = error == EFBIG ? "; raise the limit on the size of files (ulimit -f)" : "";
    throw Error(
        fmt::format("cannot {} {}: {}{}", action, path.string(), std::system_category().message(error), remedy));
}

}  // namespace residual

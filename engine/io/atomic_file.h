// Files that are written atomically: an incomplete file never appears under its final name.
#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace residual {

// Writes a temporary file beside `path` ("<path>.tmp-<process>-<number>"); commit() flushes it to the disk, renames it
// to `path` and flushes the folder. Until then an existing file at `path` is untouched. The destructor removes an
// uncommitted temporary file (a killed process leaves it behind). Every failure is an Error that names the file and the
// system's reason, except that a flush is left out if the file system does not implement it.
class AtomicFile {
  public:
    explicit AtomicFile(std::filesystem::path path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::span<const std::byte> bytes);
    void commit();

  private:
    void write_out(std::span<const std::byte> bytes);
    void flush_buffer();

    std::filesystem::path path_;
    std::filesystem::path temporary_;
    std::vector<std::byte> buffer_;  // Collects small writes, to save system calls.
    int descriptor_ = -1;
};

// AtomicFile with one write() and a commit().
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

// Copies the contents of `from` to `to` through an AtomicFile.
void copy_file_atomically(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes `path` a symbolic link to `target` (relative to the folder of `path`), replacing an existing file. Returns
// false if the file system has no symbolic links; throws Error on any other failure.
bool link_atomically(const std::filesystem::path& path, const std::filesystem::path& target);

// The name of the file for which AtomicFile or link_atomically uses the temporary name `name`; empty if `name` is not
// such a name.
std::string_view final_name_of(std::string_view name);

// Whether this errno value means that the file system does not implement the call.
bool is_unsupported(int error);

// Flushes the entries of `folder` to the disk: a new file survives a power cut only after this. Returns false if the
// file system cannot flush a folder, or does not let this process open it; throws Error on any other failure.
bool flush_folder(const std::filesystem::path& folder);

// Throws the Error "cannot <action> <path>: <reason>" for an errno value.
[[noreturn]] void throw_system_error(const char* action, const std::filesystem::path& path, int error = errno);

}  // namespace residual

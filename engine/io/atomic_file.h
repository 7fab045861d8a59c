// A file that appears complete or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace residual {

// Writes to a temporary name beside `path` ("<path>.tmp-<process>-<number>"); commit() flushes it to the disk, renames
// it to `path` and flushes the folder. Whatever stood at `path` stays untouched until then; without a commit the
// temporary file is removed (a process that is killed leaves it behind). Every failure is an Error that names the file
// and the system's reason.
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
    void empty_buffer();
    [[noreturn]] void fail(const char* action) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;
    std::vector<std::byte> buffer_;  // Small pieces gather here, for fewer calls of the system.
    int descriptor_ = -1;
};

// The whole of `bytes` as the file `path`, complete or not at all.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

// The contents of `from` as the file `to`, likewise.
void copy_file_atomically(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes `path` a symbolic link to `target` (relative to the folder of `path`), in place of whatever file stood there.
// False where the file system has no symbolic links, Error for every other failure.
bool link_atomically(const std::filesystem::path& path, const std::filesystem::path& target);

// Whether `name` is a temporary name that AtomicFile or link_atomically gives to a file called `final_name`.
bool is_temporary_name(std::string_view name, std::string_view final_name);

// Puts the names in `folder` on the disk: a new file is safe from a power cut only then. Error as above.
void flush_folder(const std::filesystem::path& folder);

}  // namespace residual

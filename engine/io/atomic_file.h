// A file that appears complete or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace engine {

// Writes to a temporary name beside `path` ("<path>.tmp-<process>-<number>"); commit() flushes it to the disk, renames
// it to `path` and flushes the folder. Whatever stood at `path` stays untouched until then; without a commit the
// temporary file is removed. Every failure is an Error that names the file and the system's reason.
class AtomicFile {
  public:
    explicit AtomicFile(std::filesystem::path path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::span<const std::byte> bytes);
    void commit();

  private:
    [[noreturn]] void fail(const char* action) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;
    int descriptor_ = -1;
};

// The whole of `bytes` as the file `path`, complete or not at all.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace engine

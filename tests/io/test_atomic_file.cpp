#include "engine/io/atomic_file.h"

#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/file_size_limit.h"

namespace {

using residual::AtomicFile;
using residual::write_file_atomically;
using tests::read_text;
using tests::TemporaryFolder;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

size_t files_in(const TemporaryFolder& folder) {
    size_t count = 0;
    for (auto entry = std::filesystem::directory_iterator(folder.path());
         entry != std::filesystem::directory_iterator(); ++entry) {
        ++count;
    }
    return count;
}

TEST_CASE("an atomic file appears on commit and replaces an existing file", "[io]") {
    const TemporaryFolder folder;
    const auto path = folder / "metrics";
    write_file_atomically(path, bytes_of("old"));
    CHECK(read_text(path) == "old");
    {
        AtomicFile file(path);
        file.write(bytes_of("brand "));
        file.write(bytes_of("new"));
        CHECK(read_text(path) == "old");
        CHECK(files_in(folder) == 2);
        file.commit();
    }
    CHECK(read_text(path) == "brand new");
    CHECK(files_in(folder) == 1);
}

TEST_CASE("an uncommitted atomic file leaves nothing behind", "[io]") {
    const TemporaryFolder folder;
    const auto path = folder / "metrics";
    write_file_atomically(path, bytes_of("old"));
    {
        AtomicFile file(path);
        file.write(bytes_of("half"));
    }
    CHECK(read_text(path) == "old");
    CHECK(files_in(folder) == 1);
}

TEST_CASE("two writers of the same atomic file do not interfere", "[io]") {
    const TemporaryFolder folder;
    const auto path = folder / "metrics";
    AtomicFile first(path), second(path);
    first.write(bytes_of("first"));
    second.write(bytes_of("second"));
    first.commit();
    CHECK(read_text(path) == "first");
    second.commit();
    CHECK(read_text(path) == "second");
    CHECK(files_in(folder) == 1);
}

TEST_CASE("a write that fails half-way keeps the old file", "[io]") {
    const TemporaryFolder folder;
    const auto path = folder / "metrics";
    write_file_atomically(path, bytes_of("old"));
    const std::vector<std::byte> large(100'000);
    std::string message;
    {
        const test::FileSizeLimit limit(4096);
        try {
            write_file_atomically(path, large);
        } catch (const residual::Error& error) {
            message = error.what();
        }
    }
    CHECK_THAT(message, ContainsSubstring("cannot write " + path.string()) && ContainsSubstring("File too large"));
    CHECK(read_text(path) == "old");
    CHECK(files_in(folder) == 1);
}

TEST_CASE("an atomic file that cannot be created is reported with the reason", "[io]") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(write_file_atomically(folder / "missing/metrics", bytes_of("x")),
                      ContainsSubstring("missing/metrics") && ContainsSubstring("No such file or directory"));

    std::filesystem::create_directory(folder / "a_folder");
    write_file_atomically(folder / "a_folder/inside", bytes_of("x"));
    CHECK_THROWS_WITH(write_file_atomically(folder / "a_folder", bytes_of("x")), ContainsSubstring("cannot rename"));
    CHECK(files_in(folder) == 1);

    if (geteuid() != 0) {  // root may write anywhere
        const auto path = folder / "a_folder/inside";
        std::filesystem::permissions(folder / "a_folder",
                                     std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
        CHECK_THROWS_WITH(write_file_atomically(path, bytes_of("y")), ContainsSubstring("Permission denied"));
        CHECK(read_text(path) == "x");
        std::filesystem::permissions(folder / "a_folder", std::filesystem::perms::owner_all);
    }
}

}  // namespace

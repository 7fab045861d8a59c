// The files that a run finds, keeps and removes in its folder, and the lock.
#include "engine/train/run_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"

namespace {

using residual::RunFolder;
using tests::TemporaryFolder;

void write(const std::filesystem::path& path) {
    residual::write_file_atomically(path, std::as_bytes(std::span("x", 1)));
}

std::set<std::string> names_in(const std::filesystem::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename());
    return names;
}

}  // namespace

TEST_CASE("only one process at a time can use a run folder", "[train]") {
    const TemporaryFolder folder;
    {
        const RunFolder first(folder / "run");
        CHECK_THROWS_AS(RunFolder(folder / "run"), residual::InputError);
        CHECK_THROWS_WITH(RunFolder(folder / "run"), ContainsSubstring((folder / "run").string()) &&
                                                         ContainsSubstring("another process is training there"));
    }
    CHECK_NOTHROW(RunFolder(folder / "run"));
}

TEST_CASE("the lock of a killed process is released", "[train]") {
    const TemporaryFolder folder;
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const RunFolder held(folder / "run");
        if (write(ready[1], "x", 1) == 1) pause();
        _exit(1);
    }
    char byte;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    CHECK_THROWS_AS(RunFolder(folder / "run"), residual::InputError);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    CHECK_NOTHROW(RunFolder(folder / "run"));
    close(ready[0]);
    close(ready[1]);
}

TEST_CASE("a folder that already holds a run is refused", "[train]") {
    for (const std::string name : {"metrics.jsonl", "best.safetensors", "step-00000005.safetensors"}) {
        INFO(name);
        const TemporaryFolder parent;
        const RunFolder folder(parent / "run");
        CHECK_FALSE(RunFolder::holds_run(folder.path()));
        folder.write_config("{}");
        tests::write_bytes(folder.metrics_path(), {});
        CHECK_NOTHROW(RunFolder::refuse_run(folder.path()));
        write(folder.path() / name);
        CHECK(RunFolder::holds_run(folder.path()));
        CHECK_THROWS_AS(RunFolder::refuse_run(folder.path()), residual::RunFolderError);
        CHECK_THROWS_WITH(RunFolder::refuse_run(folder.path()),
                          ContainsSubstring("already holds a run (" + name + ")"));
    }
}

TEST_CASE("a link counts as a checkpoint, a file of another program does not", "[train]") {
    const TemporaryFolder parent;
    const RunFolder folder(parent / "run");
    write(folder.path() / "pretrained.safetensors");
    CHECK_FALSE(RunFolder::holds_run(folder.path()));
    std::filesystem::create_symlink("nowhere", folder.last_path());
    CHECK(RunFolder::holds_run(folder.path()));
}

TEST_CASE("the newest checkpoints and all other files are kept", "[train]") {
    const TemporaryFolder parent;
    RunFolder folder(parent / "run");
    const std::set<std::string> others = {".lock",
                                          "best.safetensors",
                                          "notes.txt",
                                          "step-00000001.safetensors.old",
                                          "step-1.safetensors",
                                          "step-0000000x.safetensors",
                                          "xstep-00000001.safetensors",
                                          "step-00000001.txt",
                                          "step--0000001.safetensors"};
    for (const std::string& name : others) write(folder.path() / name);
    for (const int64_t step : {2, 4, 6, 123456789}) write(folder.checkpoint_path(step));
    REQUIRE(folder.checkpoints().size() == 4);
    CHECK(folder.checkpoints().front().step == 123456789);
    CHECK(folder.checkpoints().back().path == folder.path() / "step-00000002.safetensors");

    // The checkpoint of a later step does not count.
    folder.finish_checkpoint(6, 2);
    std::set<std::string> expected = others;
    expected.insert(
        {"step-00000004.safetensors", "step-00000006.safetensors", "step-123456789.safetensors", "last.safetensors"});
    CHECK(names_in(folder.path()) == expected);
    CHECK(std::filesystem::read_symlink(folder.last_path()) == "step-00000006.safetensors");

    folder.finish_checkpoint(6, 1);
    expected.erase("step-00000004.safetensors");
    CHECK(names_in(folder.path()) == expected);
    folder.finish_checkpoint(123456789, 5);
    CHECK(names_in(folder.path()) == expected);
    CHECK(std::filesystem::read_symlink(folder.last_path()) == "step-123456789.safetensors");
}

TEST_CASE("all checkpoints are kept without a limit", "[train]") {
    const TemporaryFolder parent;
    RunFolder folder(parent / "run");
    for (int64_t step = 1; step <= 9; ++step) write(folder.checkpoint_path(step));
    folder.finish_checkpoint(9, std::nullopt);
    CHECK(folder.checkpoints().size() == 9);
    CHECK(std::filesystem::read_symlink(folder.last_path()) == "step-00000009.safetensors");
}

TEST_CASE("a damaged checkpoint never displaces a good one", "[train]") {
    const TemporaryFolder parent;
    RunFolder folder(parent / "run");
    for (const int64_t step : {5, 6, 7, 9}) write(folder.checkpoint_path(step));
    folder.mark_damaged(7);
    folder.finish_checkpoint(9, 2);
    CHECK(names_in(folder.path()) == std::set<std::string>{".lock", "last.safetensors", "step-00000006.safetensors",
                                                           "step-00000007.safetensors", "step-00000009.safetensors"});
    // Written again, it counts.
    folder.finish_checkpoint(7, 1);
    CHECK_FALSE(std::filesystem::exists(folder.checkpoint_path(6)));
    folder.finish_checkpoint(9, 1);
    CHECK_FALSE(std::filesystem::exists(folder.checkpoint_path(7)));
}

TEST_CASE("missing parent folders are created", "[train]") {
    const TemporaryFolder parent;
    CHECK_NOTHROW(RunFolder(parent / "a/b/../b/c/"));
    CHECK(std::filesystem::exists(parent / "a/b/c/.lock"));
}

TEST_CASE("temporary files of a killed process are removed, and nothing else", "[train]") {
    const TemporaryFolder parent;
    const auto run = parent / "run";
    std::filesystem::create_directory(run);
    const std::set<std::string> kept = {"step-00000003.safetensors",     "best.safetensors.tmp-old",
                                        "best.safetensors.tmp-12",       "best.safetensors.tmp-12-",
                                        "best.safetensors.tmp-12-0.bak", "mine.tmp-12-0",
                                        "step-3.safetensors.tmp-12-0"};
    for (const std::string& name : kept) write(run / name);
    for (const std::string name :
         {"step-00000003.safetensors", "best.safetensors", "last.safetensors", "config.json", "metrics.jsonl"}) {
        write(run / (name + ".tmp-4711-0"));
    }
    const RunFolder folder(run);
    std::set<std::string> expected = kept;
    expected.insert(".lock");
    CHECK(names_in(run) == expected);
}

TEST_CASE("a folder that cannot be created is reported with its name", "[train]") {
    const TemporaryFolder parent;
    write(parent / "file");
    CHECK_THROWS_WITH(RunFolder(parent / "file" / "run"), ContainsSubstring("file/run: the folder cannot be created"));
    CHECK_THROWS_WITH(RunFolder(parent / "file"), ContainsSubstring("file: the folder cannot be created"));
    CHECK_THROWS_AS(RunFolder(parent / "file"), residual::InputError);
}

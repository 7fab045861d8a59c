// Rows are retried when the disk is full; a resumed run continues the file after its checkpoint.
#include "engine/train/metrics_file.h"

#include <atomic>
#include <thread>

#include "engine/core/error.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/file_size_limit.h"

namespace {

using residual::EvaluationRow;
using residual::MetricsFile;
using residual::TrainingRow;
using tests::read_text;
using tests::TemporaryFolder;

std::string evaluation_line(int step) {
    return "{\"step\":" + std::to_string(step) + ",\"test_loss\":0.5,\"test_accuracy\":0.25}\n";
}

void write_text(const std::filesystem::path& path, const std::string& text) {
    tests::write_bytes(path, std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("each row is a line of JSON", "[train]") {
    const TemporaryFolder folder;
    MetricsFile metrics(folder / "m", 0, 0);
    metrics.write(TrainingRow{2, 1.5, 1.25, 0.1, 0.01, 1000});
    metrics.write(EvaluationRow{2, 0.1, 1});
    CHECK(read_text(folder / "m") ==
          "{\"step\":2,\"train_loss\":1.5,\"train_cross_entropy\":1.25,\"train_accuracy\":0.1,\"learning_rate\":0.01,"
          "\"images_per_second\":1000.0}\n{\"step\":2,\"test_loss\":0.1,\"test_accuracy\":1.0}\n");
}

TEST_CASE("later rows and an incomplete line are removed", "[train]") {
    const TemporaryFolder folder;
    const std::string train2 = "{\"step\":2,\"train_loss\":1.0}\n", train4 = "{\"step\":4,\"train_loss\":1.0}\n";
    const std::string tests4 = evaluation_line(4), tests8 = evaluation_line(8);
    const auto kept = [&](const std::string& text, int64_t training, int64_t evaluation) {
        write_text(folder / "m", text);
        { const MetricsFile opened(folder / "m", training, evaluation); }
        return read_text(folder / "m");
    };
    CHECK(kept(train2 + train4 + tests4 + tests8, 4, 4) == train2 + train4 + tests4);
    CHECK(kept(train2 + train4 + tests4 + tests8, 2, 8) == train2 + tests4 + tests8);
    CHECK(kept(train2 + train4 + tests4, 4, 0) == train2 + train4);
    CHECK(kept(train2 + train4.substr(0, 12), 4, 4) == train2);
    // Only the newline is missing.
    CHECK(kept(train2 + train4.substr(0, train4.size() - 1), 4, 4) == train2);
    CHECK(kept(train2 + std::string(4096, '\0'), 4, 4) == train2);
    CHECK(kept(train2 + "{\"step\":\"4\"}\n[]\n\n{}\n" + train4, 4, 4) == train2 + train4);
    CHECK(kept("", 4, 4).empty());
    CHECK(kept(train4, 0, 0).empty());
}

TEST_CASE("a row that does not fit on the disk is written with a later one", "[train]") {
    const TemporaryFolder folder;
    MetricsFile metrics(folder / "m", 0, 0);
    const size_t room = evaluation_line(1).size() + 10;
    {
        const test::FileSizeLimit full(room);
        metrics.write(EvaluationRow{1, 0.5, 0.25});
        CHECK_NOTHROW(metrics.flush());
        metrics.write(EvaluationRow{2, 0.5, 0.25});
        metrics.write(EvaluationRow{3, 0.5, 0.25});
        CHECK_THROWS_AS(metrics.flush(), residual::Error);
        CHECK_THROWS_WITH(metrics.flush(),
                          ContainsSubstring((folder / "m").string()) && ContainsSubstring("too large"));
        CHECK(read_text(folder / "m").size() == room);
    }
    metrics.write(EvaluationRow{4, 0.5, 0.25});
    CHECK_NOTHROW(metrics.flush());
    CHECK_NOTHROW(metrics.sync());
    CHECK(read_text(folder / "m") == evaluation_line(1) + evaluation_line(2) + evaluation_line(3) + evaluation_line(4));
}

TEST_CASE("a metrics file that cannot be opened is reported with its name", "[train]") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(MetricsFile(folder / "none/m", 0, 0),
                      ContainsSubstring("none/m") && ContainsSubstring("No such file or directory"));
}

TEST_CASE("rows go to a new file if theirs is removed, renamed or replaced", "[train]") {
    const TemporaryFolder folder;
    MetricsFile metrics(folder / "m", 0, 0);
    metrics.write(EvaluationRow{1, 0.5, 0.25});
    CHECK_FALSE(metrics.replaced());
    std::filesystem::rename(folder / "m", folder / "old");
    metrics.write(EvaluationRow{2, 0.5, 0.25});
    CHECK(metrics.replaced());
    CHECK(read_text(folder / "old") == evaluation_line(1));
    CHECK(read_text(folder / "m") == evaluation_line(2));
    std::filesystem::remove(folder / "m");
    metrics.write(EvaluationRow{3, 0.5, 0.25});
    CHECK(read_text(folder / "m") == evaluation_line(3));
    write_text(folder / "other", evaluation_line(4));
    std::filesystem::rename(folder / "other", folder / "m");
    metrics.write(EvaluationRow{5, 0.5, 0.25});
    CHECK(read_text(folder / "m") == evaluation_line(4) + evaluation_line(5));
    CHECK_NOTHROW(metrics.sync());
}

TEST_CASE("a row that was cut off by a full disk is whole in the new file", "[train]") {
    const TemporaryFolder folder;
    MetricsFile metrics(folder / "m", 0, 0);
    {
        const test::FileSizeLimit full(10);
        metrics.write(EvaluationRow{1, 0.5, 0.25});
    }
    std::filesystem::remove(folder / "m");
    metrics.write(EvaluationRow{2, 0.5, 0.25});
    CHECK(read_text(folder / "m") == evaluation_line(1) + evaluation_line(2));
}

TEST_CASE("rows are kept in memory while no new file can be made", "[train]") {
    const TemporaryFolder parent;
    std::filesystem::create_directory(parent / "run");
    MetricsFile metrics((parent / "run") / "m", 0, 0);
    std::filesystem::rename(parent / "run", parent / "away");
    metrics.write(EvaluationRow{1, 0.5, 0.25});
    CHECK_THROWS_WITH(metrics.flush(), ContainsSubstring("No such file or directory"));
    std::filesystem::rename(parent / "away", parent / "run");
    CHECK_NOTHROW(metrics.flush());
    CHECK(read_text((parent / "run") / "m") == evaluation_line(1));
}

TEST_CASE("the file may be replaced while another thread flushes it", "[train]") {
    const TemporaryFolder folder;
    MetricsFile metrics(folder / "m", 0, 0);
    std::atomic<bool> done = false;
    std::thread flushing([&] {
        while (!done) metrics.sync();
    });
    for (int step = 1; step <= 200; ++step) {
        std::filesystem::remove(folder / "m");
        metrics.write(EvaluationRow{step, 0.5, 0.25});
        CHECK(read_text(folder / "m") == evaluation_line(step));
    }
    done = true;
    flushing.join();
}

TEST_CASE("the rows of a checkpoint are found", "[train]") {
    const TemporaryFolder folder;
    const auto has = [&](const std::string& text, int64_t training, int64_t evaluation) {
        write_text(folder / "m", text);
        return residual::has_rows(folder / "m", {.training = training, .evaluation = evaluation});
    };
    const std::string train2 = "{\"step\":2,\"train_loss\":1.0}\n", test4 = evaluation_line(4);
    CHECK(has("", 0, 0));
    CHECK(has(train2 + test4, 2, 4));
    CHECK(has(train2, 2, 0));
    CHECK_FALSE(has(train2, 2, 4));
    CHECK_FALSE(has(test4, 2, 4));
    CHECK_FALSE(has(test4, 4, 0));
    CHECK_FALSE(has("", 2, 0));
    CHECK_FALSE(residual::has_rows(folder / "none", {.training = 2}));
    CHECK(residual::has_rows(folder / "none", {}));
    write_text(folder / "m", train2 + test4 + "{\"step\":9");
    CHECK(residual::last_row(folder / "m") == 4);
    CHECK(residual::last_row(folder / "none") == 0);
}

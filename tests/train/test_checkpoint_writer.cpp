// Checkpoints written in the background while training continues.
#include "engine/train/checkpoint_writer.h"

#include "engine/io/checkpoint.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/train/training_run.h"

namespace {

using namespace residual;

struct Fixture {
    Fixture()
        : run(make_cpu_backend(), models::ResNetConfig{.depth = 8}, DType::kFloat32, 3),
          folder(parent / "run"),
          metrics(folder.metrics_path(), 0, 0) {}

    tests::TemporaryFolder parent;
    test::TrainingRun run;
    RunFolder folder;
    MetricsFile metrics;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a checkpoint holds the weights of its step although training continues", "[train]") {
    CheckpointWriter writer(folder, metrics, 10);
    std::vector<std::vector<std::vector<uint8_t>>> states;
    for (int step = 1; step <= 4; ++step) {
        run.update(1);
        states.push_back(run.state());
        metrics.write(EvaluationRow{step, 1, 0.5});
        writer.write(run.snapshot(), step == 2, true);
        writer.check();
    }
    writer.finish();
    CHECK(folder.checkpoints().size() == 4);
    for (int step = 1; step <= 4; ++step) {
        test::TrainingRun other(make_cpu_backend(), models::ResNetConfig{.depth = 8}, DType::kFloat32, 4);
        other.restore(Checkpoint::read(folder.checkpoint_path(step)));
        CHECK((other.state() == states[static_cast<size_t>(step) - 1]));
    }
    CHECK(Checkpoint::read(folder.best_path()).info()->step == 2);
    CHECK(Checkpoint::read(folder.last_path()).info()->step == 4);
}

TEST_CASE_METHOD(Fixture, "a failed write is reported by the next call", "[train]") {
    const std::string reason = "No such file or directory";
    const auto fail = [&](CheckpointWriter& writer) { writer.write(run.snapshot(), true, true); };
    std::filesystem::remove_all(folder.path());
    SECTION("write") {
        CheckpointWriter writer(folder, metrics, 10);
        fail(writer);
        CHECK_THROWS_WITH(writer.write(run.snapshot(), true, true), ContainsSubstring(reason));
        CHECK_NOTHROW(writer.finish());
    }
    SECTION("finish") {
        CheckpointWriter writer(folder, metrics, 10);
        fail(writer);
        CHECK_THROWS_WITH(writer.finish(), ContainsSubstring(reason));
    }
    SECTION("check") {
        CheckpointWriter writer(folder, metrics, 10);
        fail(writer);
        CHECK_THROWS_WITH(
            [&] {
                for (;;) writer.check();
            }(),
            ContainsSubstring(reason));
    }
}

TEST_CASE_METHOD(Fixture, "writing only the best checkpoint leaves the numbered ones unchanged", "[train]") {
    CheckpointWriter writer(folder, metrics, 1);
    writer.write(run.snapshot(), true, false);
    writer.finish();
    CHECK(std::filesystem::exists(folder.best_path()));
    CHECK(folder.checkpoints().empty());
    CHECK_FALSE(std::filesystem::exists(folder.last_path()));
}

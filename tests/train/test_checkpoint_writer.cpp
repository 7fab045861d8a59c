// Checkpoints written while training goes on.
#include "engine/train/checkpoint_writer.h"

#include "engine/io/checkpoint.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/train/training_run.h"

namespace {

using namespace residual;

struct Writing {
    Writing()
        : run(make_cpu_backend(), models::ResNetConfig{.depth = 8}, DType::kFloat32, 3),
          folder(parent / "run"),
          metrics(folder.metrics_path(), 0, 0) {}

    tests::TemporaryFolder parent;
    test::TrainingRun run;
    RunFolder folder;
    MetricsFile metrics;
};

}  // namespace

TEST_CASE_METHOD(Writing, "a checkpoint holds the weights of its step, whatever training does meanwhile", "[train]") {
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

TEST_CASE_METHOD(Writing, "a checkpoint that could not be written is reported at the next occasion", "[train]") {
    const std::string words = "No such file or directory";
    const auto fail = [&](CheckpointWriter& writer) { writer.write(run.snapshot(), true, true); };
    std::filesystem::remove_all(folder.path());
    SECTION("the next checkpoint") {
        CheckpointWriter writer(folder, metrics, 10);
        fail(writer);
        CHECK_THROWS_WITH(writer.write(run.snapshot(), true, true), ContainsSubstring(words));
        CHECK_NOTHROW(writer.finish());
    }
    SECTION("the end") {
        CheckpointWriter writer(folder, metrics, 10);
        fail(writer);
        CHECK_THROWS_WITH(writer.finish(), ContainsSubstring(words));
    }
    SECTION("any step before") {
        CheckpointWriter writer(folder, metrics, 10);
        fail(writer);
        CHECK_THROWS_WITH(
            [&] {
                for (;;) writer.check();
            }(),
            ContainsSubstring(words));
    }
}

TEST_CASE_METHOD(Writing, "the best alone leaves the numbered ones as they are", "[train]") {
    CheckpointWriter writer(folder, metrics, 1);
    writer.write(run.snapshot(), true, false);
    writer.finish();
    CHECK(std::filesystem::exists(folder.best_path()));
    CHECK(folder.checkpoints().empty());
    CHECK_FALSE(std::filesystem::exists(folder.last_path()));
}

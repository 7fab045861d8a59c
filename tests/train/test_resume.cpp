// A resumed run equals an uninterrupted one, bit for bit.
#include "engine/train/resume.h"

#include <memory>

#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/devices.h"
#include "tests/train/training_run.h"

namespace {

using namespace residual;
using test::TrainingRun;
using tests::TemporaryFolder;

// Compares `before` steps, a checkpoint and `after` steps of a new backend and network with before + after steps.
void check_resume(const std::function<std::unique_ptr<Backend>()>& make_backend, const models::ModelConfig& config,
                  DType dtype, int before, int after) {
    INFO(name_of(dtype) << ", " << before << " steps and " << after);
    const TemporaryFolder folder;
    const auto path = folder / "checkpoint.safetensors";
    {
        TrainingRun first(make_backend(), config, dtype, 3);
        first.update(before);
        first.snapshot().write(path);
    }
    TrainingRun whole(make_backend(), config, dtype, 3), resumed(make_backend(), config, dtype, 77);
    resumed.restore(Checkpoint::read(path));
    whole.update(before + after);
    resumed.update(after);

    CHECK((resumed.state() == whole.state()));
    CHECK(resumed.trainer().step() == whole.trainer().step());
    CHECK(resumed.trainer().last_learning_rate() == whole.trainer().last_learning_rate());
    const Averages expected = whole.trainer().take_averages(), found = resumed.trainer().take_averages();
    CHECK(found.cross_entropy == expected.cross_entropy);
    CHECK(found.weight_penalty == expected.weight_penalty);
    CHECK(found.accuracy == expected.accuracy);
}

const models::ResNetConfig kPreact{.depth = 8};
const models::ResNetConfig kPlain{.depth = 8, .shortcut = models::Shortcut::none};
const models::ResNetConfig kPostact{
    .depth = 8, .block = models::Block::postact, .shortcut = models::Shortcut::projection};

// A run folder with checkpoints of steps 1, 2 and 3.
struct ThreeCheckpoints {
    ThreeCheckpoints() : run(make_cpu_backend(), kPreact, DType::kFloat32, 3), folder(parent / "run") {
        for (int step = 1; step <= 3; ++step) {
            run.update(1);
            run.snapshot().write(folder.checkpoint_path(step));
        }
    }
    void damage(int64_t step, size_t at) {
        std::string bytes = tests::read_text(folder.checkpoint_path(step));
        bytes.at(at) ^= 1;
        tests::write_bytes(folder.checkpoint_path(step), std::as_bytes(std::span(bytes)));
    }
    std::optional<Checkpoint> newest() {
        warnings.clear();
        return newest_good_checkpoint(folder, [this](const std::string& warning) { warnings.push_back(warning); });
    }

    TemporaryFolder parent;
    TrainingRun run;
    RunFolder folder;
    std::vector<std::string> warnings;
};

}  // namespace

TEST_CASE("N steps, a checkpoint and M steps equal N + M steps, bit for bit", "[train]") {
    const auto cpu = [] { return make_cpu_backend(); };
    for (const auto& config : {kPreact, kPlain, kPostact}) check_resume(cpu, config, DType::kFloat32, 4, 4);
    check_resume(cpu, kPreact, DType::kBFloat16, 2, 2);
    check_resume(cpu, kPreact, DType::kFloat32, 0, 3);
    check_resume(cpu, kPreact, DType::kFloat32, 1, 6);
}

TEST_CASE("N steps, a checkpoint and M steps equal N + M steps on the GPU", "[train][gpu]") {
    if (test::skipped_without_gpu()) return;
    const auto composed = [] { return make_cuda_backend({}); };
    const auto fused = [] { return make_cuda_backend({.fused = true}); };
    // Before the checkpoint, steps are recorded and replayed; the first steps after it are eager again.
    check_resume(composed, kPlain, DType::kFloat32, 3, 1);
    check_resume(fused, kPreact, DType::kBFloat16, 3, 3);
}

TEST_CASE("a run resumes on another device", "[train][gpu]") {
    if (test::skipped_without_gpu()) return;
    const TemporaryFolder folder;
    const auto path = folder / "checkpoint.safetensors";
    TrainingRun whole(make_cpu_backend(), kPreact, DType::kFloat32, 3);
    TrainingRun resumed(make_cuda_backend({}), kPreact, DType::kFloat32, 77);
    whole.update(2);
    whole.snapshot().write(path);
    resumed.restore(Checkpoint::read(path));
    const auto weights = [](TrainingRun& run) { return test::download(run.backend(), run.parameters().weights()); };
    CHECK(weights(resumed).values == weights(whole).values);
    whole.update(1);
    resumed.update(1);
    CHECK(resumed.trainer().step() == 3);
    CHECK(test::relative_error(weights(resumed), weights(whole)) <= 1e-4);
}

TEST_CASE_METHOD(ThreeCheckpoints, "the newest readable checkpoint is used", "[train]") {
    CHECK(newest()->info()->step == 3);
    CHECK(warnings.empty());

    damage(3, 20'000);
    CHECK(newest()->info()->step == 2);
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings[0], ContainsSubstring("step-00000003.safetensors: the tensor ") &&
                                ContainsSubstring("resuming from " + folder.checkpoint_path(2).string() + " instead"));

    std::filesystem::resize_file(folder.checkpoint_path(2), 30'000);
    CHECK(newest()->info()->step == 1);
    REQUIRE(warnings.size() == 2);
    CHECK_THAT(warnings[0], ContainsSubstring("step-00000003") && ContainsSubstring("step-00000001"));
    CHECK_THAT(warnings[1], ContainsSubstring("step-00000002") && ContainsSubstring("step-00000001"));

    std::filesystem::remove(folder.checkpoint_path(1));
    CHECK_THROWS_AS(newest(), InputError);
    CHECK_THROWS_WITH(newest(), ContainsSubstring("none of the 2 checkpoint(s)") &&
                                    ContainsSubstring("step-00000003") && ContainsSubstring("step-00000002"));
}

TEST_CASE_METHOD(ThreeCheckpoints, "without checkpoints there is nothing to resume from", "[train]") {
    for (const int step : {1, 2, 3}) std::filesystem::remove(folder.checkpoint_path(step));
    CHECK_FALSE(newest());
}

TEST_CASE_METHOD(ThreeCheckpoints, "a checkpoint of an unsupported version is not skipped", "[train]") {
    const auto path = folder.checkpoint_path(3);
    const auto file = SafetensorsFile::read(path);
    write_safetensors(path, file.tensors(), {{"format_version", "1"}, {"checksum", "00000000"}});
    CHECK_THROWS_AS(newest(), FormatVersionError);
}

TEST_CASE_METHOD(ThreeCheckpoints, "the best checkpoint is used if it can be read", "[train]") {
    const auto best = [&] {
        warnings.clear();
        return best_checkpoint(folder, [this](const std::string& warning) { warnings.push_back(warning); });
    };
    CHECK_FALSE(best());
    Snapshot(run.backend(), run.parameters(), run.mean(), {32, 32, 3},
             {.config = "{}", .class_names = {"one"}, .test_accuracy = 0.625})
        .write(folder.best_path());
    CHECK(best()->info()->test_accuracy == 0.625);
    CHECK(warnings.empty());
    std::filesystem::resize_file(folder.best_path(), 5'000);
    CHECK_FALSE(best());
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings[0],
               ContainsSubstring("best.safetensors") && ContainsSubstring("the next evaluation replaces it"));
}

TEST_CASE("a run is finished when its final weights have been evaluated", "[train]") {
    CheckpointInfo info;
    info.step = 10;
    CHECK_FALSE(is_finished(info, 11));
    CHECK_FALSE(is_finished(info, 10));
    CHECK(is_finished(info, 9));
    info.test_accuracy = 0;
    CHECK(is_finished(info, 10));
    CHECK_FALSE(is_finished(info, 11));
}

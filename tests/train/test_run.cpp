// Runs that are stopped at any point, resumed, and compared with uninterrupted ones.
#include "engine/train/run.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/data/cifar10.h"
#include "engine/io/checkpoint.h"
#include "engine/ops/pool.h"
#include "engine/train/resume.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/records.h"

namespace {

using namespace residual;

constexpr int64_t kSteps = 9;
// Intervals that do not divide one another.
const RunConfig kConfig{.dir = {}, .log_every = 2, .eval_every = 3, .checkpoint_every = 4, .keep = 100};

// Global average pooling, then one linear layer. Calls `event` in forward pass number `at`.
class PooledLinear final : public nn::Module {
  public:
    PooledLinear(nn::Parameters& parameters, int64_t at, std::function<void()> event)
        : head_(parameters, "head", 3, 10), left_(at), event_(std::move(event)) {}
    Variable forward(Context& context, const Variable& images) const override {
        if (--left_ == 0) event_();
        return head_.forward(context, ops::global_average_pool(context, images));
    }
    bool happened() const { return left_ <= 0; }

  private:
    nn::Linear head_;
    mutable int64_t left_;
    std::function<void()> event_;
};

// Discards standard output during its lifetime.
class DiscardStdout {
  public:
    DiscardStdout() : before_(dup(STDOUT_FILENO)) {
        std::fflush(stdout);
        std::freopen("/dev/null", "w", stdout);
    }
    ~DiscardStdout() {
        std::fflush(stdout);
        dup2(before_, STDOUT_FILENO);
        close(before_);
    }

  private:
    int before_;
};

// Trains as one process would: from the newest checkpoint in `path`, if any, to the end, with `event` in forward pass
// `at` (0: none). Returns whether the event happened.
bool train_in(
    const std::filesystem::path& path, int64_t steps, int64_t at = 0,
    const std::function<void(Signals&, nn::Parameters&)>& event = {}, double rate = 1e-4,
    const RunConfig& config = kConfig, const Warn& warn = [](const std::string& warning) { FAIL(warning); }) {
    const auto backend = make_cpu_backend();
    nn::Parameters parameters;
    Signals signals;
    const PooledLinear network(parameters, at, [&] { event(signals, parameters); });
    parameters.allocate(*backend, DType::kFloat32, 1);
    const auto records = test::numbered_records(10);
    const std::vector<float> mean(3072, 127);
    const auto device_mean = backend->from_host(mean.data(), {32, 32, 3});
    Trainer trainer(*backend, network, parameters,
                    Batches::shuffled(*backend, records, device_mean, 4, DType::kFloat32, {}, 1), {},
                    {.boundaries = {5}, .values = {rate, rate / 2}});
    auto test = Batches::in_order(*backend, records, device_mean, 4, DType::kFloat32);
    RunFolder folder(path);
    const auto resumed = newest_good_checkpoint(folder, [](const std::string&) { FAIL("damaged"); });
    DataDescription data = cifar10_description();
    data.mean = mean;
    const auto labels = labels_of(data, records);
    RunInputs inputs{.backend = *backend,
                     .model = network,
                     .parameters = parameters,
                     .trainer = trainer,
                     .test = test,
                     .data = data,
                     .test_labels = labels,
                     .config = "{}",
                     .rows = {},
                     .saved = {},
                     .warn = warn};
    const auto best = best_checkpoint(folder, [](const std::string&) { FAIL("damaged"); });
    if (best) inputs.best_accuracy = *best->info()->test_accuracy;
    if (resumed) {
        resumed->load_into(*backend, parameters);
        resumed->load_momenta_into(*backend, parameters);
        trainer.restore(resumed->info()->step, resumed->info()->rows.sums);
        inputs.rows = resumed->info()->rows;
        inputs.saved = resumed->info()->step;
    }
    const DiscardStdout discard;
    Progress progress(steps, 4);
    train(inputs, steps, config, folder, progress, signals);
    return network.happened();
}

std::vector<nlohmann::json> rows_in(const std::filesystem::path& folder) {
    std::istringstream lines(tests::read_text(folder / "metrics.jsonl"));
    std::vector<nlohmann::json> rows;
    for (std::string line; std::getline(lines, line);) {
        rows.push_back(nlohmann::json::parse(line));
        rows.back().erase("images_per_second");
    }
    return rows;
}

std::vector<std::vector<std::byte>> tensors_in(const std::filesystem::path& path) {
    const auto file = SafetensorsFile::read(path);
    std::vector<std::vector<std::byte>> tensors;
    for (const TensorView& view : file.tensors()) tensors.emplace_back(view.data.begin(), view.data.end());
    return tensors;
}

std::vector<int64_t> steps_saved(const std::filesystem::path& path) {
    std::vector<int64_t> steps;
    for (const auto& checkpoint : RunFolder(path).checkpoints()) steps.push_back(checkpoint.step);
    return steps;
}

void stop(Signals& signals, nn::Parameters&) {
    signals.stop = SIGTERM;
}

}  // namespace

TEST_CASE("a run writes rows and checkpoints at their intervals and at its end", "[train]") {
    const tests::TemporaryFolder folder;
    train_in(folder / "run", kSteps);
    std::vector<std::pair<int, bool>> found;
    for (const auto& row : rows_in(folder / "run")) found.emplace_back(row["step"], row.contains("test_loss"));
    CHECK(found == std::vector<std::pair<int, bool>>{
                       {2, false}, {3, true}, {4, false}, {6, false}, {6, true}, {8, false}, {9, false}, {9, true}});
    CHECK(steps_saved(folder / "run") == std::vector<int64_t>{9, 8, 4});
    CHECK(Checkpoint::read(folder / "run/last.safetensors").info()->step == 9);
    CHECK(is_finished(*Checkpoint::read(folder / "run/last.safetensors").info(), kSteps));
    CHECK_FALSE(Checkpoint::read(folder / "run/step-00000004.safetensors").info()->test_accuracy);
}

TEST_CASE("a run stopped at any forward pass, in training or evaluation, resumes to the same bits", "[train]") {
    const tests::TemporaryFolder folder;
    train_in(folder / "whole", kSteps);
    const auto expected = tensors_in(folder / "whole/last.safetensors");
    int64_t at = 1;
    // Nine updates and three evaluations of three batches.
    for (;; ++at) {
        INFO("stopped at pass " << at);
        const auto path = folder / ("stopped-" + std::to_string(at));
        if (!train_in(path, kSteps, at, stop)) break;
        const int64_t stopped_at = Checkpoint::read(path / "last.safetensors").info()->step;
        const auto rows = rows_in(path);
        CHECK((stopped_at == 0 || rows.back()["step"] == stopped_at));
        CHECK((stopped_at == 0 || std::any_of(rows.begin(), rows.end(), [&](const nlohmann::json& row) {
                   return row["step"] == stopped_at && row.contains("train_loss");
               })));
        train_in(path, kSteps);
        CHECK((tensors_in(path / "last.safetensors") == expected));
        CHECK((tensors_in(path / "best.safetensors") == tensors_in(folder / "whole/best.safetensors")));
        CHECK(rows_in(path) == rows_in(folder / "whole"));
        CHECK(is_finished(*Checkpoint::read(path / "last.safetensors").info(), kSteps));
    }
    CHECK(at == 9 + 3 * 3 + 1);
}

TEST_CASE("an evaluation says how many images it has done before each batch", "[train]") {
    const auto backend = make_cpu_backend();
    nn::Parameters parameters;
    const PooledLinear network(parameters, 0, {});
    parameters.allocate(*backend, DType::kFloat32, 1);
    const Tensor mean = backend->zeros({32, 32, 3}, DType::kFloat32);
    auto batches = Batches::in_order(*backend, test::numbered_records(10), mean, 4, DType::kFloat32);
    std::vector<int64_t> begun;
    const std::atomic<int> never = 0;
    evaluate_unless(never, *backend, network, batches, nullptr, [&](int64_t images) { begun.push_back(images); });
    CHECK(begun == std::vector<int64_t>{0, 4, 8});
}

TEST_CASE("a run extended by more steps equals the longer run", "[train]") {
    const tests::TemporaryFolder folder;
    train_in(folder / "whole", kSteps);
    for (int64_t steps = 1; steps < kSteps; ++steps) {
        INFO(steps << " steps first");
        const auto path = folder / std::to_string(steps);
        train_in(path, steps);
        CHECK(rows_in(path).back()["step"] == steps);
        train_in(path, kSteps);
        CHECK((tensors_in(path / "last.safetensors") == tensors_in(folder / "whole/last.safetensors")));
        CHECK(rows_in(path) == rows_in(folder / "whole"));
    }
}

TEST_CASE("a resumed run may log, evaluate and save at other intervals", "[train]") {
    const tests::TemporaryFolder folder;
    train_in(folder / "run", 4);
    // Also at the step where it resumes.
    const RunConfig other{.dir = {}, .log_every = 4, .eval_every = 2, .checkpoint_every = 7, .keep = 1};
    train_in(folder / "run", kSteps, 0, {}, 1e-4, other);
    std::vector<std::pair<int, bool>> found;
    for (const auto& row : rows_in(folder / "run")) found.emplace_back(row["step"], row.contains("test_loss"));
    CHECK(found ==
          std::vector<std::pair<int, bool>>{
              {2, false}, {3, true}, {4, false}, {4, true}, {6, true}, {8, false}, {8, true}, {9, false}, {9, true}});
    CHECK(steps_saved(folder / "run") == std::vector<int64_t>{9});
}

TEST_CASE("a requested checkpoint is written and training continues", "[train]") {
    const tests::TemporaryFolder folder;
    train_in(folder / "whole", kSteps);
    train_in(folder / "run", kSteps, 2, [](Signals& signals, nn::Parameters&) { signals.save = 1; });
    CHECK(steps_saved(folder / "run") == std::vector<int64_t>{9, 8, 4, 2});
    CHECK(rows_in(folder / "run") == rows_in(folder / "whole"));
    CHECK((tensors_in(folder / "run/last.safetensors") == tensors_in(folder / "whole/last.safetensors")));
}

TEST_CASE("the best checkpoint has the highest accuracy, also in a resumed run", "[train]") {
    const tests::TemporaryFolder folder;
    train_in(folder / "run", 4);
    const auto best = [&] { return Checkpoint::read(folder / "run/best.safetensors").info(); };
    const double before = *best()->test_accuracy;
    // At this learning rate the network always predicts one class and cannot improve.
    train_in(folder / "run", kSteps, 0, {}, 10);
    double highest = 0;
    for (const auto& row : rows_in(folder / "run")) highest = std::max(highest, row.value("test_accuracy", 0.0));
    CHECK(*best()->test_accuracy == highest);
    CHECK(highest >= before);
}

TEST_CASE("logits that are not finite at the end: no confusion matrix, but the last checkpoint", "[train]") {
    const tests::TemporaryFolder folder;
    // The logits of class 0 are below the smallest float for some images. The batch with the image of class 0 is over.
    const auto overflow = [](Signals&, nn::Parameters& parameters) {
        for (const auto& parameter : parameters.parameters()) {
            std::vector<float> values(static_cast<size_t>(parameter->shape.elements()), 0);
            values.front() = parameter->name == "head.bias" ? -3.4e38f : 2e37f;
            make_cpu_backend()->upload(values.data(), parameter->weight);
        }
    };
    std::vector<std::string> warnings;
    // Nine updates, two evaluations of three batches, and the first batch of the last.
    CHECK(train_in(folder / "run", kSteps, 9 + 2 * 3 + 2, overflow, 1e-4, kConfig,
                   [&](const std::string& warning) { warnings.push_back(warning); }));
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings[0], StartsWith("TensorBoard gets no confusion matrix: image ") &&
                                ContainsSubstring("the logit of class 0 is -inf"));
    CHECK(is_finished(*Checkpoint::read(folder / "run/last.safetensors").info(), kSteps));
}

TEST_CASE("a network that is not finite is never saved", "[train]") {
    const tests::TemporaryFolder folder;
    const auto set_momentum = [](const char* name, float value) {
        return [name, value](Signals&, nn::Parameters& parameters) {
            for (const auto& parameter : parameters.parameters()) {
                if (parameter->name != name) continue;
                std::vector<float> values(static_cast<size_t>(parameter->shape.elements()), 0);
                values.back() = value;
                make_cpu_backend()->upload(values.data(), parameter->momentum);
            }
        };
    };
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS(train_in(folder / "error", kSteps, 2, set_momentum("head.bias", nan)), DivergedError);
    int number = 0;
    for (const char* name : {"head.weight", "head.bias"}) {
        for (const float value : {nan, infinity, -infinity}) {
            // Three updates, an evaluation of three passes, and so on.
            for (const int64_t at : {1, 2, 3, 7, 8, 14, 15}) {
                INFO(name << " " << value << " at pass " << at);
                const auto path = folder / std::to_string(number++);
                const int64_t step = at - at / 6 * 3;
                CHECK_THROWS_WITH(train_in(path, kSteps, at, set_momentum(name, value)),
                                  ContainsSubstring("diverged at step " + std::to_string(step)));
                for (const auto& entry : std::filesystem::directory_iterator(path)) {
                    if (entry.path().extension() != ".safetensors") continue;
                    const auto file = SafetensorsFile::read(entry.path());
                    for (const TensorView& view : file.tensors()) {
                        for (size_t i = 0; i < view.data.size(); i += sizeof(float)) {
                            float element;
                            std::memcpy(&element, view.data.data() + i, sizeof element);
                            REQUIRE(std::isfinite(element));
                        }
                    }
                }
                for (const auto& row : rows_in(path)) CHECK(row.dump().find("null") == std::string::npos);
            }
        }
    }
}

// A data set registered only by this test trains, is saved, resumes and is evaluated like a built-in one.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/registry.h"
#include "engine/io/checkpoint.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/array.h"
#include "tools/run/compatibility.h"
#include "tools/run/session.h"
#include "tools/run/training.h"

namespace {

// 8x8 grey images of four classes: noise with one quarter brightened.
std::vector<uint8_t> quarters(const residual::DataDescription& data, int count, const char* seed) {
    test::Random random(seed);
    std::vector<uint8_t> records;
    for (int i = 0; i < count; ++i) {
        const int label = i % data.classes();
        records.push_back(static_cast<uint8_t>(label));
        for (int y = 0; y < data.height; ++y) {
            for (int x = 0; x < data.width; ++x) {
                const bool bright = y / 4 * 2 + x / 4 == label;
                records.push_back(static_cast<uint8_t>(random.below(100) + (bright ? 150 : 0)));
            }
        }
    }
    return records;
}

const residual::DataFormat& custom_format() {
    const auto add = [] {
        const residual::DataDescription data{.name = "Quarters",
                                             .height = 8,
                                             .width = 8,
                                             .channels = 1,
                                             .class_names = {"upper left", "upper right", "lower left", "lower right"},
                                             .train_records = 64,
                                             .test_records = 20};
        residual::register_data_format({.name = "quarters",
                                        .description = data,
                                        .train_files = {"quarters"},
                                        .test_files = {"quarters"},
                                        .locate =
                                            [](const auto& folder) {
                                                return residual::holds_any(folder, {"quarters"}) ? std::optional(folder)
                                                                                                 : std::nullopt;
                                            },
                                        .load_train = [data](const auto&) { return quarters(data, 64, "train"); },
                                        .load_test = [data](const auto&) { return quarters(data, 20, "test"); }});
        return true;
    };
    static const bool added = add();
    REQUIRE(added);
    return residual::data_format("quarters");
}

residual::DataSet load_quarters() {
    const residual::DataFormat& format = custom_format();
    return residual::make_data_set(format.load_train({}), format.load_test({}));
}

std::string config(int steps) {
    return R"({"model": {"depth": 8}, "data": {"format": "quarters", "augment": {"pad": 1, "flip": false}},
               "train": {"steps": )" +
           std::to_string(steps) + R"(, "batch_size": 16, "device": "cpu"},
               "schedule": {"boundaries": [], "values": [0.02]}, "run": {"dir": "unset"}})";
}

int train(int steps, const std::filesystem::path& folder, bool resume) {
    residual::tools::Experiment experiment = residual::tools::experiment_from_json(config(steps), "test");
    experiment.run.dir = folder.string();
    const auto load = [] { return residual::tools::Images{load_quarters(), "nowhere"}; };
    residual::Signals signals;
    const auto warn = [](const std::string& message) { FAIL(message); };
    return residual::tools::run_training(experiment, {.init = "", .resume = resume}, load, warn, signals);
}

std::string refusal_of(const residual::Checkpoint& checkpoint, const residual::DataDescription& data,
                       uint32_t fingerprint) {
    try {
        residual::tools::refuse_other_data(checkpoint, data, fingerprint, "some/folder");
    } catch (const residual::InputError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("a custom data set trains, is saved, resumes and is evaluated", "[data]") {
    const residual::DataFormat& format = custom_format();
    const tests::TemporaryFolder parent;
    const auto folder = parent / "run";
    REQUIRE(train(20, folder, false) == 0);
    REQUIRE(train(30, folder, true) == 0);

    const auto checkpoint = residual::Checkpoint::read(folder / "step-00000030.safetensors");
    REQUIRE(checkpoint.info());
    CHECK(checkpoint.info()->class_names == format.description.class_names);
    const auto file = residual::SafetensorsFile::read(checkpoint.path());
    CHECK(file.find("data.mean")->shape == std::vector<int64_t>{1, 8, 8});
    CHECK(file.find("head.weight")->shape.at(0) == 4);
    CHECK(file.find("stem.weight")->shape.at(1) == 1);

    // As resnet-eval does it.
    residual::tools::Session session(residual::tools::experiment_of(checkpoint));
    CHECK(session.experiment.data.format == "quarters");
    checkpoint.load_into(*session.backend, session.parameters);
    const residual::DataSet data = load_quarters();
    CHECK(refusal_of(checkpoint, session.data, data.fingerprint).empty());
    auto test = session.test_batches(data.test, session.set_mean(*checkpoint.mean(session.data.image_shape())));
    CHECK(test.samples() == 20);
    std::vector<float> logits;
    const auto result = residual::evaluate(*session.backend, *session.model, test, &logits);
    CHECK(logits.size() == 20 * 4);
    CHECK(result.accuracy == checkpoint.info()->test_accuracy);
    CHECK(result.accuracy > 0.5);

    // Another data set.
    CHECK_THAT(refusal_of(checkpoint, session.data, data.fingerprint + 1), ContainsSubstring("fingerprint"));
    CHECK_THAT(
        refusal_of(checkpoint, residual::data_format("cifar10").description, data.fingerprint),
        ContainsSubstring("trained on the 4 classes upper left, upper right, lower left, ..., but the 10 classes "
                          "of CIFAR-10 are airplane, automobile, bird, ..."));
    residual::tools::Experiment other = residual::tools::experiment_of(checkpoint);
    other.data.format = "cifar10";
    CHECK_THROWS_WITH(
        residual::tools::refuse_other_model(checkpoint, other),
        ContainsSubstring("/data/format is \"quarters\" in the checkpoint, but \"cifar10\" was requested"));
}

TEST_CASE("a batch size above the number of training images is refused", "[data]") {
    custom_format();
    const auto read = [](int batch) {
        const std::vector<std::string> overrides = {"train.batch_size=" + std::to_string(batch)};
        return residual::tools::experiment_from_json(config(1), "test", overrides);
    };
    CHECK(read(64).train.batch_size == 64);
    CHECK_THROWS_WITH(
        read(65),
        ContainsSubstring("/train/batch_size: 65 images, but Quarters has only 64 training images; choose at most 64"));
}

TEST_CASE("test batches exceed neither the test images nor 1024", "[data]") {
    const residual::DataSet data = load_quarters();
    std::vector<std::vector<float>> logits;
    for (const int batch : {1, 16, 64}) {
        residual::tools::Experiment experiment = residual::tools::experiment_from_json(config(1), "test");
        experiment.train.batch_size = batch;
        residual::tools::Session session(experiment);
        auto test = session.test_batches(data.test, session.set_mean(residual::pixel_mean(session.data, data.train)));
        CHECK(test.batch_size() == std::min(batch, 20));
        residual::evaluate(*session.backend, *session.model, test, &logits.emplace_back());
    }
    CHECK(logits[0] == logits[1]);
    CHECK(logits[1] == logits[2]);

    residual::tools::Session large(residual::tools::experiment_from_json(
        R"({"model": {"depth": 8}, "train": {"batch_size": 50000, "device": "cpu"}})", "test"));
    const std::vector<uint8_t> records(2000 * static_cast<size_t>(large.data.record_bytes()));
    CHECK(large.test_batches(records, large.set_mean(residual::pixel_mean(large.data, records))).batch_size() == 1024);
}

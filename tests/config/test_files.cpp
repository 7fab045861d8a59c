#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/catch.h"
#include "tests/config/refusal.h"
#include "tests/support/source_dir.h"

namespace {

const std::filesystem::path kConfigs = std::filesystem::path(test::source_dir()) / "configs";

std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

residual::tools::Experiment load(const std::string& name) {
    return residual::tools::load_experiment((kConfigs / (name + ".json")).string());
}

}  // namespace

TEST_CASE("a written configuration reads back equal", "[config]") {
    residual::tools::Experiment experiment;
    CHECK(residual::tools::experiment_from_json(residual::tools::to_json(experiment), "resolved") == experiment);
    experiment.model = residual::models::ResNetConfig{.depth = 110,
                                                      .block = residual::models::Block::postact,
                                                      .shortcut = residual::models::Shortcut::projection,
                                                      .padding = residual::models::Padding::symmetric,
                                                      .batch_norm = {.epsilon = 1e-5, .decay = 0.9}};
    experiment.data = {.dir = "/a \"quoted\" \xC3\xA9", .shuffle = false, .augment = {.pad = 0, .flip = false}};
    experiment.train = {.steps = 7,
                        .batch_size = 3,
                        .seed = 18446744073709551615U,
                        .precision = residual::PrecisionChoice::tf32,
                        .device = residual::DeviceChoice::cuda,
                        .kernels = residual::KernelChoice::fused,
                        .deterministic = false};
    experiment.optimizer = {.kind = residual::OptimizerKind::nesterov, .momentum = 0.1 + 0.2, .weight_decay = 1e-300};
    experiment.schedule = {.boundaries = {}, .values = {1.0 / 3.0}};
    experiment.run = {.dir = "out", .log_every = 1, .eval_every = 2, .checkpoint_every = 3, .keep = 4};
    CHECK(residual::tools::experiment_from_json(residual::tools::to_json(experiment), "resolved") == experiment);
    experiment.model = residual::models::WideResNetConfig{.depth = 28, .widening = 10, .batch_norm = {.decay = 0.5}};
    experiment.run.keep.reset();
    CHECK(residual::tools::experiment_from_json(residual::tools::to_json(experiment), "resolved") == experiment);
}

TEST_CASE("writing a path that is not UTF-8 fails", "[config]") {
    residual::tools::Experiment experiment;
    experiment.data.dir = "/\xFF";
    CHECK_THROWS_AS(residual::tools::to_json(experiment), residual::InputError);
}

TEST_CASE("the defaults describe ResNet-56", "[config]") {
    CHECK(residual::tools::experiment_from_json("{}", "x.json") == residual::tools::Experiment{});
    residual::tools::Experiment experiment = load("resnet56");
    CHECK(experiment.run.dir == "runs/resnet56");
    experiment.run.dir.reset();
    CHECK(experiment == residual::tools::Experiment{});
}

TEST_CASE("every configuration file loads", "[config]") {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kConfigs)) {
        const std::string name = entry.path().stem().string();
        if (entry.path().extension() != ".json" || name == "schema") continue;
        ++count;
        const residual::tools::Experiment experiment = residual::tools::load_experiment(entry.path().string());
        CHECK(experiment.run.dir == "runs/" + name);
        // "cifar100_resnet20": the name starts with the data set unless it is CIFAR-10.
        const auto underscore = name.find('_');
        const std::string network = underscore == name.npos ? name : name.substr(underscore + 1);
        CHECK(experiment.data.format == (underscore == name.npos ? "cifar10" : name.substr(0, underscore)));
        const auto* model = std::get_if<residual::models::ResNetConfig>(&experiment.model.config);
        if (model == nullptr) continue;
        const bool is_plain = name.rfind("plain", 0) == 0;
        const bool is_postact = name.rfind("postact", 0) == 0;
        CHECK((model->shortcut == residual::models::Shortcut::none) == is_plain);
        CHECK((model->block == residual::models::Block::postact) == is_postact);
        if (const auto digit = network.find_first_of("0123456789"); digit != network.npos) {
            CHECK(model->depth == std::stoll(network.substr(digit)));
        }
    }
    CHECK(count >= 16);  // catches deleted files; new files need no change here
}

TEST_CASE("the post-activation networks are trained as in He et al. 2015, section 4.2", "[config]") {
    for (const char* name : {"postact20", "postact56", "postact110"}) {
        const residual::tools::Experiment experiment = load(name);
        const auto& model = std::get<residual::models::ResNetConfig>(experiment.model.config);
        CHECK(model.shortcut == residual::models::Shortcut::subsample_zeropad);
        CHECK(model.padding == residual::models::Padding::symmetric);
        CHECK(experiment.optimizer.weight_decay == 1e-4);
        CHECK(experiment.optimizer.momentum == 0.9);
        CHECK(experiment.train.steps == 64000);
    }
    CHECK(load("postact56").schedule.values == std::vector<double>{0.1, 0.01, 0.001});
    CHECK(load("postact56").schedule.boundaries == std::vector<std::int64_t>{32000, 48000});
    CHECK(load("postact110").schedule.values == std::vector<double>{0.01, 0.1, 0.01, 0.001});
    CHECK(load("postact110").schedule.boundaries == std::vector<std::int64_t>{400, 32000, 48000});
}

TEST_CASE("WRN-16-4 is trained as in Zagoruyko & Komodakis 2016, for 200 epochs of 50,000 images", "[config]") {
    const residual::tools::Experiment experiment = load("wrn16-4");
    const residual::ScheduleConfig& schedule = experiment.schedule;
    CHECK(experiment.model == residual::models::WideResNetConfig{.batch_norm = {.epsilon = 1e-5, .decay = 0.9}});
    CHECK(experiment.model.title() == "WRN-16-4");
    CHECK(experiment.optimizer.kind == residual::OptimizerKind::nesterov);
    CHECK(experiment.optimizer.weight_decay == 5e-4);
    CHECK(schedule.values == std::vector<double>{0.1, 0.02, 0.004, 0.0008});
    const auto epoch_of = [&](std::int64_t step) {
        return static_cast<double>(step * experiment.train.batch_size) / 50000;
    };
    REQUIRE(schedule.boundaries.size() == 3);
    CHECK(epoch_of(schedule.boundaries[0]) == Approx(60).epsilon(1e-4));
    CHECK(epoch_of(schedule.boundaries[1]) == Approx(120).epsilon(1e-4));
    CHECK(epoch_of(schedule.boundaries[2]) == Approx(160).epsilon(1e-4));
    CHECK(epoch_of(experiment.train.steps) == Approx(200).epsilon(1e-4));
}

TEST_CASE("an override of run.dir is kept", "[config]") {
    const std::string path = (kConfigs / "quickstart.json").string();
    CHECK(residual::tools::load_experiment(path, std::vector<std::string>{"run.dir=elsewhere"}).run.dir == "elsewhere");
}

TEST_CASE("the table of keys and the schema are up to date", "[config]") {
    INFO("update them with: config-doc --write configs");
    CHECK(read_text(kConfigs / "schema.json") == residual::tools::experiment_schema());
    CHECK_THAT(read_text(kConfigs / "README.md"),
               ContainsSubstring("<!-- keys: made by config-doc -->\n" + residual::tools::experiment_key_table() +
                                 "<!-- end of keys -->\n"));
}

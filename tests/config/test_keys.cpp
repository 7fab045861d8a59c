#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/config/refusal.h"

namespace {

struct BadValue {
    std::string key;
    std::string value;
    std::string message;
};

// `expected "cifar10" or "cifar100"`, and every other registered format.
std::string data_formats_expected() {
    std::string expected;
    for (const auto name : residual::data_format_names()) {
        expected += (expected.empty() ? "expected \"" : " or \"") + std::string(name) + "\"";
    }
    return expected;
}

const std::vector<BadValue>& bad_values() {
    static const std::vector<BadValue> cases = {
        {"model.family", R"("vgg")", R"(expected "resnet" or "wide_resnet", got "vgg")"},
        {"model.depth", "7", "expected an integer from 8 to 9998, got 7"},
        {"model.depth", "20.0", "expected an integer from 8 to 9998, got 20.0"},
        {"model.depth", "18446744073709551615", "expected an integer from 8 to 9998, got 18446744073709551615"},
        {"model.depth", "21", "depth 21 is not 6n + 2; the nearest valid depths are 20 and 26"},
        {"model.depth", "9", "depth 9 is not 6n + 2; the nearest valid depths are 8 and 14"},
        {"model.depth", "9997", "depth 9997 is not 6n + 2; the nearest valid depths are 9992 and 9998"},
        {"model.depth", "9223372036854775802", "expected an integer from 8 to 9998, got 9223372036854775802"},
        {"model.block", R"("Preact")", R"(expected "preact" or "postact", got "Preact")"},
        {"model.shortcut", "null",
         R"(expected "avgpool_zeropad" or "subsample_zeropad" or "projection" or "none", got null)"},
        {"model.padding", R"("valid")", R"(expected "same" or "symmetric", got "valid")"},
        {"model.batch_norm", "1e-3", "expected an object {...}, got 0.001"},
        {"model.batch_norm.epsilon", "0", "expected a number > 0, got 0"},
        {"model.batch_norm.epsilon", "1e-50", "epsilon is outside the range of single precision"},
        {"model.batch_norm.epsilon", "1e39", "epsilon is outside the range of single precision"},
        {"model.batch_norm.decay", "1", "expected a number >= 0 and < 1, got 1"},
        {"model.batch_norm.decay", "-0.1", "expected a number >= 0 and < 1, got -0.1"},
        {"data.format", R"("mnist")", data_formats_expected() + R"(, got "mnist")"},
        {"data.format", "10", data_formats_expected() + ", got 10"},
        {"data.dir", "3", "expected a non-empty string or null, got 3"},
        {"data.dir", R"("")", R"(expected a non-empty string or null, got "")"},
        {"data.dir", R"("a\u0000b")", R"(expected a non-empty string or null, got "a\u0000b")"},
        {"data.shuffle", "1", "expected true or false, got 1"},
        {"data.augment", "false", "expected an object {...}, got false"},
        {"data.augment.pad", "17", "expected an integer from 0 to 16, got 17"},
        {"data.augment.pad", "-1", "expected an integer from 0 to 16, got -1"},
        {"data.augment.flip", R"("yes")", R"(expected true or false, got "yes")"},
        {"train", "[]", "expected an object {...}, got []"},
        {"train.steps", "0", "expected an integer >= 1, got 0"},
        {"train.steps", "1e3", "expected an integer >= 1, got 1000.0"},
        {"train.steps", "true", "expected an integer >= 1, got true"},
        {"train.batch_size", "128.0", "expected an integer from 1 to 65536, got 128.0"},
        {"train.batch_size", "0", "expected an integer from 1 to 65536, got 0"},
        {"train.batch_size", "50001",
         "50001 images, but CIFAR-10 has only 50000 training images; choose at most 50000"},
        {"train.batch_size", "65537", "expected an integer from 1 to 65536, got 65537"},
        {"train.seed", "-1", "expected an integer from 0 to 18446744073709551615, got -1"},
        {"train.seed", "18446744073709551616",
         "expected an integer from 0 to 18446744073709551615, got 1.8446744073709552e+19"},
        {"train.precision", R"("fp16")", R"(expected "fp32" or "tf32" or "bf16" or "auto", got "fp16")"},
        {"train.device", R"("gpu")", R"(expected a name such as "cuda", "cuda:1", "cpu", "auto", got "gpu")"},
        {"train.device", R"("cuda:")", R"(expected a name such as "cuda", "cuda:1", "cpu", "auto", got "cuda:")"},
        {"train.device", R"("cuda:-1")", R"(expected a name such as "cuda", "cuda:1", "cpu", "auto", got "cuda:-1")"},
        {"train.device", "1", R"(expected a name such as "cuda", "cuda:1", "cpu", "auto", got 1)"},
        {"train.kernels", R"("fast")", R"(expected "composed" or "fused" or "auto", got "fast")"},
        {"train.deterministic", "null", "expected true or false, got null"},
        {"optimizer.kind", R"("adam")", R"(expected "sgd" or "nesterov", got "adam")"},
        {"optimizer.momentum", "1", "expected a number >= 0 and < 1, got 1"},
        {"optimizer.momentum", R"("0.9")", R"(expected a number >= 0 and < 1, got "0.9")"},
        {"optimizer.weight_decay", "-1e-4", "expected a number >= 0, got -0.0001"},
        {"schedule.kind", R"("cosine")", R"(expected "piecewise", got "cosine")"},
        {"schedule.boundaries", "500", "expected an array of integers, got 500"},
        {"schedule.boundaries", "[1, 3, 3]", "boundaries must be strictly increasing"},
        {"schedule.values", "[0.1]",
         "values has length 1 and boundaries has length 3; values must have one more element"},
        {"schedule.values", "{}", "expected an array of numbers, got {}"},
        {"run.dir", "true", "expected a non-empty string or null, got true"},
        {"run.log_every", "0", "expected an integer >= 1, got 0"},
        {"run.eval_every", "-5", "expected an integer >= 1, got -5"},
        {"run.checkpoint_every", "0.5", "expected an integer >= 1, got 0.5"},
        {"run.tensorboard", "1", "expected true or false, got 1"},
        {"run.keep", "0", R"(expected an integer >= 1 or "all", got 0)"},
        {"run.keep", R"("none")", R"(expected an integer >= 1 or "all", got "none")"},
        {"run.keep", "null", R"(expected an integer >= 1 or "all", got null)"},
    };
    return cases;
}

std::vector<std::string> split(const std::string& key) {
    std::vector<std::string> parts(1);
    for (const char character : key) {
        if (character == '.') {
            parts.emplace_back();
        } else {
            parts.back() += character;
        }
    }
    return parts;
}

void collect_keys(const nlohmann::json& object, const std::string& prefix, std::set<std::string>& keys) {
    for (const auto& [key, value] : object.items()) {
        if (value.is_object()) {
            collect_keys(value, prefix + key + ".", keys);
        } else {
            keys.insert(prefix + key);
        }
    }
}

}  // namespace

TEST_CASE("the message for an invalid value names the file, the pointer and the value", "[config]") {
    for (const BadValue& bad : bad_values()) {
        std::string text = bad.value;
        std::string pointer;
        const std::vector<std::string> parts = split(bad.key);
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) text = "{\"" + *part + "\": " + text + "}";
        for (const std::string& part : parts) pointer += "/" + part;
        CHECK(refusal(text) == "x.json: " + pointer + ": " + bad.message);
        const std::string override_text = bad.key + "=" + bad.value;
        CHECK(refusal("{}", {override_text}) == "--set " + override_text + ": " + pointer + ": " + bad.message);
    }
}

TEST_CASE("bad_values() covers every key", "[config]") {
    std::set<std::string> keys;
    collect_keys(nlohmann::json::parse(residual::tools::to_json({})), "", keys);
    for (const BadValue& bad : bad_values()) keys.erase(bad.key);
    CHECK(keys == std::set<std::string>{});
}

TEST_CASE("the message for an invalid array element names its index", "[config]") {
    CHECK(refusal(R"({"schedule": {"boundaries": [5, 2.5], "values": [1, 1, 1]}})") ==
          "x.json: /schedule/boundaries/1: expected an integer >= 0, got 2.5");
    CHECK(refusal(R"({"schedule": {"boundaries": [-1], "values": [1, 1]}})") ==
          "x.json: /schedule/boundaries/0: expected an integer >= 0, got -1");
    CHECK(refusal(R"({"schedule": {"boundaries": [], "values": [-0.1]}})") ==
          "x.json: /schedule/values/0: expected a number >= 0, got -0.1");
}

TEST_CASE("values at the bounds of their ranges are accepted", "[config]") {
    const residual::tools::Experiment experiment = residual::tools::experiment_from_json(R"({
        "model": {"depth": 8},
        "data": {"dir": "/data", "augment": {"pad": 16}},
        "train": {"batch_size": 50000, "seed": 18446744073709551615, "steps": 9223372036854775807},
        "optimizer": {"momentum": 0, "weight_decay": 0},
        "schedule": {"boundaries": [], "values": [1]}
    })",
                                                                                         "x.json");
    CHECK(std::get<residual::models::ResNetConfig>(experiment.model.config).units_per_stage() == 1);
    CHECK(experiment.data.dir == "/data");
    CHECK(experiment.data.augment.pad == 16);
    CHECK(experiment.train.batch_size == 50000);
    CHECK(experiment.train.seed == std::numeric_limits<std::uint64_t>::max());
    CHECK(experiment.train.steps == std::numeric_limits<std::int64_t>::max());
    CHECK(experiment.optimizer.momentum == 0);
    CHECK(experiment.schedule.boundaries.empty());
    CHECK(experiment.schedule.values == std::vector<double>{1.0});
}

TEST_CASE("every name is read as its enumerator", "[config]") {
    const auto read = [](const std::string& text) { return residual::tools::experiment_from_json(text, "x.json"); };
    const auto model = [&](const std::string& text) {
        return std::get<residual::models::ResNetConfig>(read("{\"model\": " + text + "}").model.config);
    };
    using residual::models::Shortcut;
    const std::map<std::string, Shortcut> shortcuts = {{"avgpool_zeropad", Shortcut::avgpool_zeropad},
                                                       {"subsample_zeropad", Shortcut::subsample_zeropad},
                                                       {"projection", Shortcut::projection},
                                                       {"none", Shortcut::none}};
    for (const auto& [name, value] : shortcuts) {
        CHECK(model("{\"shortcut\": \"" + name + "\"}").shortcut == value);
        CHECK(residual::name_of(value) == name);
    }
    CHECK(model(R"({"block": "preact"})").block == residual::models::Block::preact);
    CHECK(model(R"({"block": "postact"})").block == residual::models::Block::postact);
    CHECK(model(R"({"padding": "same"})").padding == residual::models::Padding::same);
    CHECK(model(R"({"padding": "symmetric"})").padding == residual::models::Padding::symmetric);
    using residual::PrecisionChoice;
    const std::map<std::string, PrecisionChoice> precisions = {{"fp32", PrecisionChoice::fp32},
                                                               {"tf32", PrecisionChoice::tf32},
                                                               {"bf16", PrecisionChoice::bf16},
                                                               {"auto", PrecisionChoice::automatic}};
    for (const auto& [name, value] : precisions) {
        CHECK(read(R"({"train": {"precision": ")" + name + R"("}})").train.precision == value);
    }
    CHECK(read(R"({"train": {"device": "cuda"}})").train.device == residual::DeviceChoice::cuda);
    CHECK(read(R"({"train": {"device": "cuda:0"}})").train.device == residual::DeviceChoice::cuda);
    CHECK(read(R"({"train": {"device": "cuda:11"}})").train.device ==
          residual::DeviceChoice{residual::DeviceChoice::Kind::cuda, 11});
    CHECK(read(R"({"train": {"device": "cpu"}})").train.device == residual::DeviceChoice::cpu);
    CHECK(read(R"({"train": {"device": "auto"}})").train.device == residual::DeviceChoice::automatic);
    CHECK(read(R"({"train": {"kernels": "composed"}})").train.kernels == residual::KernelChoice::composed);
    CHECK(read(R"({"train": {"kernels": "fused"}})").train.kernels == residual::KernelChoice::fused);
    CHECK(read(R"({"train": {"kernels": "auto"}})").train.kernels == residual::KernelChoice::automatic);
    CHECK(read(R"({"optimizer": {"kind": "sgd"}})").optimizer.kind == residual::OptimizerKind::sgd);
    CHECK(read(R"({"optimizer": {"kind": "nesterov"}})").optimizer.kind == residual::OptimizerKind::nesterov);
    CHECK(read(R"({"run": {"keep": 3}})").run.keep == 3);
    CHECK_FALSE(read(R"({"run": {"keep": "all"}})").run.keep);
}

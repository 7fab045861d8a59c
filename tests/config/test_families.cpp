// Keys that depend on the model family, and keys that must match a checkpoint.
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/config/refusal.h"

namespace {

std::string wide(const std::string& keys) {
    return R"({"model": {"family": "wide_resnet", )" + keys + "}}";
}

std::set<std::string> pointers(const std::string& text) {
    std::set<std::string> all;
    const auto flat = nlohmann::json::parse(text).flatten();
    for (const auto& item : flat.items()) all.insert(item.key());
    return all;
}

}  // namespace

TEST_CASE("a family has its own keys and rejects invalid values", "[config]") {
    const auto experiment = residual::tools::experiment_from_json(wide(R"("depth": 28, "widening": 10)"), "x.json");
    CHECK(experiment.model == residual::models::WideResNetConfig{.depth = 28, .widening = 10});
    CHECK(residual::tools::experiment_from_json(R"({"model": {"family": "wide_resnet"}})", "x.json").model ==
          residual::models::WideResNetConfig{});
    CHECK(refusal(wide(R"("depth": 17)")) ==
          "x.json: /model/depth: depth 17 is not 6n + 4; the nearest valid depths are 16 and 22");
    CHECK(refusal(wide(R"("depth": 9)")) == "x.json: /model/depth: expected an integer from 10 to 322, got 9");
    CHECK(refusal(wide(R"("depth": 323)")) == "x.json: /model/depth: expected an integer from 10 to 322, got 323");
    CHECK(refusal(wide(R"("depth": 321)")) ==
          "x.json: /model/depth: depth 321 is not 6n + 4; the nearest valid depths are 316 and 322");
    CHECK(refusal(wide(R"("widening": 0)")) == "x.json: /model/widening: expected an integer from 1 to 32, got 0");
    CHECK(refusal(wide(R"("widening": 33)")) == "x.json: /model/widening: expected an integer from 1 to 32, got 33");
    CHECK(refusal(wide(R"("batch_norm": {"epsilon": 0})")) ==
          "x.json: /model/batch_norm/epsilon: expected a number > 0, got 0");
    CHECK(refusal("{}", {"model.family=wide_resnet", "model.depth=20"}) ==
          "--set model.depth=20: /model/depth: depth 20 is not 6n + 4; the nearest valid depths are 16 and 22");
}

TEST_CASE("the keys of one family are unknown to another family", "[config]") {
    CHECK(refusal(wide(R"("block": "preact")")).rfind("x.json: /model/block: unknown key", 0) == 0);
    CHECK(refusal(wide(R"("widenning": 2)")) ==
          "x.json: /model/widenning: unknown key; the nearest known key is /model/widening");
    CHECK(refusal(R"({"model": {"widening": 2}})").rfind("x.json: /model/widening: unknown key", 0) == 0);
    CHECK(refusal(R"({"model": {"block": "preact"}})", {"model.family=wide_resnet"})
              .rfind("x.json: /model/block: unknown key", 0) == 0);
    SECTION("independent of the position of the family key") {
        CHECK(refusal(R"({"model": {"widening": 2, "family": "wide_resnet"}})") == "accepted");
    }
    SECTION("an unknown family is reported before its keys") {
        CHECK(refusal(R"({"model": {"widening": 2, "family": "wide"}})") ==
              R"(x.json: /model/family: expected "resnet" or "wide_resnet", got "wide")");
    }
}

TEST_CASE("the configuration of a checkpoint of format version 2 is still read correctly", "[config]") {
    const std::string stored = R"({
    "model": {
        "family": "resnet",
        "depth": 20,
        "block": "postact",
        "shortcut": "subsample_zeropad",
        "padding": "symmetric"
    },
    "data": {
        "format": "cifar10",
        "dir": null,
        "shuffle": true,
        "augment": {
            "pad": 4,
            "flip": true
        }
    },
    "train": {
        "steps": 64000,
        "batch_size": 128,
        "seed": 0,
        "precision": "auto",
        "device": "auto",
        "kernels": "auto",
        "deterministic": true
    },
    "optimizer": {
        "kind": "sgd",
        "momentum": 0.9,
        "weight_decay": 0.0001
    },
    "schedule": {
        "kind": "piecewise",
        "boundaries": [
            32000,
            48000
        ],
        "values": [
            0.1,
            0.01,
            0.001
        ]
    },
    "run": {
        "dir": "runs/postact20",
        "log_every": 200,
        "eval_every": 2000,
        "checkpoint_every": 2000,
        "keep": 5
    }
}
)";
    residual::tools::Experiment expected;
    expected.model = residual::models::ResNetConfig{.depth = 20,
                                                    .block = residual::models::Block::postact,
                                                    .shortcut = residual::models::Shortcut::subsample_zeropad,
                                                    .padding = residual::models::Padding::symmetric,
                                                    .batch_norm = {.epsilon = 1e-3, .decay = 0.99}};
    expected.optimizer.weight_decay = 1e-4;
    expected.schedule = {.boundaries = {32000, 48000}, .values = {0.1, 0.01, 0.001}};
    expected.run.dir = "runs/postact20";
    CHECK(residual::tools::experiment_from_json(stored, "checkpoint") == expected);
    CHECK(residual::tools::to_json(expected).find("piecewise") == std::string::npos);
}

TEST_CASE("the keys that must match a checkpoint are those described as fixed", "[config]") {
    const std::set<std::string> network = {"/data/format",
                                           "/model/family",
                                           "/model/depth",
                                           "/model/block",
                                           "/model/shortcut",
                                           "/model/padding",
                                           "/model/batch_norm/epsilon",
                                           "/model/batch_norm/decay"};
    std::set<std::string> run = {
        "/data/shuffle", "/data/augment/pad", "/data/augment/flip",  "/train/batch_size",
        "/train/seed",   "/optimizer/kind",   "/optimizer/momentum", "/optimizer/weight_decay"};
    run.insert(network.begin(), network.end());
    CHECK(pointers(residual::tools::to_json({}, residual::Fixed::network)) == network);
    CHECK(pointers(residual::tools::to_json({}, residual::Fixed::run)) == run);
    residual::tools::Experiment experiment;
    experiment.model = residual::models::WideResNetConfig{};
    CHECK(pointers(residual::tools::to_json(experiment, residual::Fixed::network)) ==
          std::set<std::string>{"/data/format", "/model/family", "/model/depth", "/model/widening",
                                "/model/batch_norm/epsilon", "/model/batch_norm/decay"});
}
